import { copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ImageName, imageArchive } from '../lib/containers-images.ts'
import { type Ran, until } from '../lib/running.ts'
import type { Sandbox } from '../lib/sandbox.ts'

/** What `limactl list --json` prints of an instance. */
export interface Listed {
  readonly name: string
  readonly status: string
  readonly hostAgentPID?: number
  readonly driverPID?: number
}

/** A line of `ha.stdout.log`. */
interface AgentEvent {
  readonly status: {
    readonly running?: boolean
    readonly portForward?: { readonly type: string; readonly guestAddr?: string; readonly hostAddr?: string }
  }
}

/** The name of the instance: that of the plugin's. */
export const instance = 'locald'
/** A boot without KVM may take so long on a loaded machine: ms. */
export const bootMs = 40 * 60_000
/** So may a program in the guest: ms. */
export const guestMs = 10 * 60_000

/** Runs limactl as the sandbox's user, as no other part of the tests does: on its own, without locald. */
export class Limactl {
  readonly program: string
  readonly home: string
  readonly #box: Sandbox

  constructor(box: Sandbox, program: string, home: string) {
    this.#box = box
    this.program = program
    this.home = home
  }

  /** Runs a command; a file becomes its input. */
  async run(args: readonly string[], options: { limitMs?: number; input?: string; file?: string } = {}): Promise<Ran> {
    const argv = [this.program, '--tty=false', ...args]
    const { limitMs = guestMs, input, file } = options
    const words = file === undefined ? argv : ['sh', '-c', 'exec "$@" <"$0"', file, ...argv]
    return await this.#box.spawn(words, {
      limitMs,
      env: { LIMA_HOME: this.home },
      ...(input === undefined ? {} : { input }),
    }).done
  }

  /** As `run`; what it prints. Throws unless it exits with 0. */
  async ok(
    args: readonly string[],
    options: { limitMs?: number; input?: string; file?: string } = {},
  ): Promise<string> {
    const ran = await this.run(args, options)
    if (ran.code === 0) return ran.stdout
    throw new Error(`limactl ${args.join(' ')}: ${ran.code ?? ran.signal}\n${ran.stdout}\n${ran.stderr.slice(-4000)}`)
  }

  /** Runs a program in the guest; what it prints, trimmed. */
  async shell(...words: readonly string[]): Promise<string> {
    return (await this.ok(['shell', '--workdir', '/', instance, ...words])).trim()
  }

  /** Gives the guest's podman an image. */
  async load(image: ImageName): Promise<void> {
    const file = imageArchive(image)
    const copy = join(this.#box.home, `${image}.tar`)
    copyFileSync(file, copy)
    this.#box.own(copy)
    await this.ok(['shell', '--workdir', '/', instance, 'podman', 'load', '-q'], { file: copy })
  }

  /** Returns what is listed of the instance; undefined without one. */
  async find(): Promise<Listed | undefined> {
    const lines = (await this.ok(['list', '--json'])).split('\n').filter(line => line !== '')
    return lines.map((line): Listed => JSON.parse(line)).find(({ name }) => name === instance)
  }

  /** Waits until the instance has a status. */
  async waitFor(status: string): Promise<Listed> {
    return await until(
      `the instance to be ${status}`,
      async () => {
        const found = await this.find()
        return found?.status === status && found
      },
      guestMs,
    )
  }

  /** What the host agent of the last start has written. */
  events(): readonly AgentEvent[] {
    const text = readFileSync(join(this.home, instance, 'ha.stdout.log'), 'utf8')
    return text
      .split('\n')
      .filter(line => line.endsWith('}'))
      .map((line): AgentEvent => JSON.parse(line))
  }
}
