import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onlyLinux } from './machine.ts'
import type { Test } from './sandbox.ts'

/** Why there can be no private machine here. */
export const unable: string | false =
  onlyLinux('namespaces') ||
  (process.getuid?.() !== 0
    ? 'needs root'
    : spawnSync('unshare', ['--net', '--mount', 'true']).status !== 0 && 'needs namespaces')

/**
 * This machine with a network, an /etc and a /usr/local of its own: what is installed there is invisible to others, and
 * removed after the test.
 */
export class PrivateMachine {
  readonly #holder: ChildProcess

  private constructor(holder: ChildProcess) {
    this.#holder = holder
  }

  static async start(t: Test): Promise<PrivateMachine> {
    const layers = mkdtempSync(join(tmpdir(), 'locald-layers-'))
    const script = `
      ip link set lo up
      mount -t tmpfs -o mode=755 none ${layers}
      for folder in etc usr/local opt; do
        mkdir -p ${layers}/$folder/upper ${layers}/$folder/work
        mount -t overlay -o lowerdir=/$folder,upperdir=${layers}/$folder/upper,workdir=${layers}/$folder/work overlay /$folder
      done
      umount -l ${layers}
      echo ready
      exec sleep 600`
    const words = ['--net', '--mount', '--propagation', 'private', 'sh', '-ec', script]
    const holder = spawn('unshare', words, { stdio: ['ignore', 'pipe', 'inherit'] })
    t.teardown(async () => {
      if (holder.exitCode === null) {
        holder.kill('SIGKILL')
        await once(holder, 'exit')
      }
      rmSync(layers, { recursive: true, force: true })
    })
    const [said] = await Promise.race([once(holder.stdout, 'data'), once(holder, 'exit')])
    if (!String(said).startsWith('ready')) throw new Error(`no private machine: ${said}`)
    return new PrivateMachine(holder)
  }

  /** Words before a command that run it there, in a folder, as a user. */
  words(cwd: string, user: { readonly uid: number; readonly gid: number }): readonly string[] {
    const { uid, gid } = user
    const enter = [
      'nsenter',
      '--target',
      String(this.#holder.pid),
      '--net',
      '--mount',
      'sh',
      '-c',
      'cd "$0" && exec "$@"',
      cwd,
    ]
    const drop = ['setpriv', '--reuid', String(uid), '--regid', String(gid), '--clear-groups', '--inh-caps=-all']
    return uid === 0 ? enter : [...enter, ...drop]
  }

  /** Runs a shell script there as root; what it prints. Throws when it fails. */
  sh(script: string): string {
    const [program = '', ...words] = [...this.words('/', { uid: 0, gid: 0 }), 'sh', '-ec', script]
    const ran = spawnSync(program, words, { encoding: 'utf8' })
    if (ran.status !== 0) throw new Error(`${script}: ${ran.stdout}${ran.stderr}`)
    return ran.stdout
  }
}
