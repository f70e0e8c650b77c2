/** One try to make the shim do what it must not, and ways to try. */
import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, linkSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { hostsInput, type Installed, type Ran, type RunOptions } from '../lib/shim.ts'

/** One try: what is prepared, what is run, how it must end. */
export interface Try extends RunOptions {
  readonly name: string
  readonly words?: readonly string[]
  readonly before?: (it: Installed) => void
  /** Its input, where that takes time to make. */
  readonly made?: () => string
  /** In place of a plain run. */
  readonly how?: (it: Installed) => Ran
  readonly code: number
  readonly says: RegExp
}

/** What is asked for by a try that asks for nothing else. */
export const good: string = hostsInput('web.shop.localhost')

/** By a way of `attack.c`. */
export function through(it: Installed, how: readonly string[], words: readonly string[] = []): Ran {
  return it.run(words, { through: [it.attack, ...how], input: good })
}

/** A copy of the shim in a folder of the user's own. */
export function copied(it: Installed, mode: number, own: boolean): Ran {
  const folder = join(it.root, 'copied')
  mkdirSync(folder)
  copyFileSync(it.shim, join(folder, 'locald-shim'))
  chmodSync(join(folder, 'locald-shim'), mode)
  if (own) it.give(folder)
  try {
    return it.run(['hosts'], { program: join(folder, 'locald-shim'), input: good })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Another name of the shim in a folder of the user's own. */
export function linked(it: Installed): Ran {
  const folder = join(it.root, 'linked')
  mkdirSync(folder)
  it.give(folder)
  linkSync(it.shim, join(folder, 'locald-shim'))
  try {
    return it.run(['hosts'], { program: join(folder, 'locald-shim'), input: good })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** In a mount namespace that a script of root's has prepared. */
export function inMounts(it: Installed, script: string): Ran {
  const user = `exec setpriv --reuid ${it.uid} --regid ${it.uid} --clear-groups ${it.shim} hosts`
  const words = ['--mount', '--propagation', 'private', 'sh', '-ec', `${script}; ${user}`]
  const ran = spawnSync('unshare', words, {
    input: good,
    env: { PATH: process.env['PATH'], ROOT: it.root, ASAN_OPTIONS: 'detect_leaks=0' },
  })
  return { code: ran.status, output: ran.stdout.toString(), errors: ran.stderr.toString() }
}

/** With standard descriptors closed or redirected by a shell. */
export function closed(it: Installed, redirections: string): Ran {
  return it.run(['hosts'], { through: ['sh', '-c', `exec "$0" "$@" ${redirections}`] })
}

/** With Node's channel, but one that root made. */
export function foreignChannel(it: Installed): Ran {
  const script = `
    const { spawn } = require('node:child_process')
    const child = spawn(${JSON.stringify(it.shim)}, ['bind', '80'], { uid: ${it.uid}, gid: ${it.uid}, stdio: ['ignore', 'inherit', 'inherit', 'ipc'], env: { ASAN_OPTIONS: 'detect_leaks=0' } })
    child.on('exit', code => { process.exitCode = code })`
  const ran = spawnSync(process.execPath, ['-e', script], { env: {} })
  return { code: ran.status, output: ran.stdout.toString(), errors: ran.stderr.toString() }
}

/** Moved away, and a link left in its place. */
export function moved(path: string, link: (target: string, path: string) => void): void {
  renameSync(path, `${path}.real`)
  link(`${path}.real`, path)
}

/** In the place of a file. */
export function fifo(path: string): void {
  rmSync(path)
  spawnSync('mkfifo', ['-m', '644', path])
}
