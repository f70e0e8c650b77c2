import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { OutputLine } from '../../../../kernel/logs/lines.ts'
import { logArgs } from '../../../../plugins/container/logs/args.ts'
import { ContainerSandbox } from '../../../lib/containers.ts'
import type { Test } from '../../../lib/sandbox.ts'
import { readLog } from './conmon.ts'

const program = fileURLToPath(new URL('./program.js', import.meta.url))

/** A container whose output is followed by a process of its own, which may be killed. */
export class FollowedSandbox extends ContainerSandbox {
  /** The container's log, and the service's folder of logs. */
  readonly file: string
  readonly folder: string
  /** The engine's words; by a client of the engine, or by the file. */
  readonly command: readonly string[]
  readonly #byFile: boolean

  constructor(t: Test, by: 'file' | 'client', more: readonly string[] = []) {
    super(t)
    this.#byFile = by === 'file'
    this.file = join(this.home, 'service', 'container.log')
    this.write(join(this.home, 'service', 'made'), '')
    this.folder = join(this.home, 'logs')
    const env = Object.entries(this.env).map(([key, value]) => `${key}=${value}`)
    const { uid, gid } = this.user ?? { uid: 0, gid: 0 }
    const user = this.user === undefined ? [] : ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--init-groups']
    this.command = [...user, 'env', '-i', '-C', this.home, ...env, 'podman', ...more]
  }

  /** Starts a container with a script; resolves with its id. */
  async container(script: string): Promise<string> {
    const image = await this.image('busybox')
    const args = logArgs({ dialect: 'podman' }, this.#byFile ? this.file : undefined)
    return await this.ask('run', '--detach', '--network', 'none', ...args, image, 'sh', '-c', script)
  }

  /** Starts a process that follows it. */
  async follow(container: string, isNew = false): Promise<ChildProcess> {
    const { folder, command } = this
    const file = this.#byFile ? this.file : undefined
    const child = spawn(process.execPath, [program, JSON.stringify({ folder, file, container, command, isNew })], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    await once(child.stdout ?? child, 'data')
    return child
  }

  /** Waits until all of an exited container's output is in the log. */
  async drain(child: ChildProcess): Promise<void> {
    const exit = once(child, 'exit')
    child.stdin?.write('drain\n')
    await exit
  }

  async lines(stream: string): Promise<readonly OutputLine[]> {
    return (await readLog(join(this.folder, 'log'))).filter(line => line.stream === stream)
  }
}
