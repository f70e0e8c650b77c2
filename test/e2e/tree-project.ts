import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { setsid } from '../lib/machine.ts'
import { until } from '../lib/running.ts'
import type { Files, Sandbox } from '../lib/sandbox.ts'
import type { Machine } from './suite.ts'

/** Words of `sleep`, that distinguish the processes of a service. */
export const words = { main: '100001', child: '100002', lurker: '100003' } as const

const isLinux = process.platform === 'linux'

/** A command in a terminal of its own: script(1) of util-linux, and of the BSDs. */
export const script = isLinux
  ? `script -qec 'echo other terminal; exec sleep 100002' /dev/null`
  : `script -q /dev/null sh -c 'echo other terminal; exec sleep 100002'`

/** ioctl(2) that gives up the terminal. */
export const tiocnotty = isLinux ? '0x5422' : '0x20007471'

/**
 * A shell command for a daemon that escapes supervision: forked twice, a session of its own, no environment, no files.
 */
export const lurker = (word: string) => `(cd / && ${setsid} env -i "$BOX/sleeper" ${word} </dev/null >/dev/null 2>&1 &)`

/**
 * A sandbox with a project of one service, `it`, which runs a script; `sleeper` is a `sleep` whose words name the
 * sandbox.
 */
export class Place {
  readonly box: Sandbox
  readonly folder: string

  constructor(machine: Machine, name: string, script: string, keys = '', files: Files = {}) {
    this.box = machine.sandbox()
    const sleeper = join(this.box.home, 'sleeper')
    // macOS may kill a copy of a program of its own (launch constraints).
    if (isLinux) copyFileSync('/bin/sleep', sleeper)
    else
      compile(
        sleeper,
        '#include <stdlib.h>\n#include <unistd.h>\nint main(int n, char **a) { return sleep(atoi(a[n - 1])); }',
      )
    chmodSync(sleeper, 0o755)
    this.folder = this.box.project(name, {
      'locald.toml': `
        [project]
        name = "${name}"
        [services.it]
        type = "worker"
        command = "exec sh script"
        env = { BOX = "${this.box.home}" }
        ${keys}
      `,
      script,
      ...files,
    })
  }

  async up(): Promise<void> {
    await this.box.up(this.folder)
  }

  async stop(): Promise<void> {
    await this.box.ok(['stop'], { cwd: this.folder })
  }

  async pid(): Promise<number> {
    return (await this.box.service(this.folder, 'it')).pid ?? Number.NaN
  }

  /** Waits until the service has written a line. */
  async says(text: string): Promise<void> {
    await until(`'${text}' in the log`, async () =>
      (await this.box.logs(this.folder, ['-n', '1000'])).some(line => line.text.includes(text)),
    )
  }

  /** Pids of the service's processes that sleep for so long, or of all that sleep. */
  sleeping(...which: readonly string[]): readonly number[] {
    const ends = which.length === 0 ? Object.values(words) : which
    return this.box
      .processes()
      .filter(({ command }) => ends.some(word => command.endsWith(`/sleeper ${word}`)))
      .map(({ pid }) => pid)
  }

  async sleeps(count: number, ...which: readonly string[]): Promise<void> {
    await until(`${count} of ${which} in ${this.sleeping()}`, () => this.sleeping(...which).length === count)
  }

  async onlyDaemon(t: Test): Promise<void> {
    await onlyDaemon(t, this.box)
  }
}

/**
 * What a Mac shows of a process is its parent, group, terminal, ports and environment: what gives up all of them cannot
 * be distinguished from others.
 */
export const lostOn = (machine: Machine) => (machine.os === 'darwin' ? 1 : 0)

/** Nothing but the daemon is there, and what starts keepers for it. */
export async function onlyDaemon(t: Test, box: Sandbox): Promise<void> {
  const { pid } = await box.server()
  const left = box.processes().filter(process => process.pid !== pid && !isStarter(process))
  t.same(left, [], 'nothing of a service is left')
}

export const isStarter = ({ command }: { readonly command: string }) => / starter \S+$/.test(command)

export function killAll(pids: readonly number[]): void {
  for (const pid of pids) process.kill(pid, 'SIGKILL')
}

function compile(output: string, source: string): void {
  const ran = spawnSync(process.env['CC'] || 'cc', ['-x', 'c', '-', '-o', output], { input: source, encoding: 'utf8' })
  if (ran.status !== 0) throw new Error(ran.stderr)
}
