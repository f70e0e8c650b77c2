/** Real podman, a network, and the daemon's side as a process of its own. */
import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { buildSync } from 'esbuild'
import type { Test } from 'tap'
import { esmBanner } from '../../../../scripts/esm-banner.ts'
import { ContainerSandbox } from '../../../lib/containers.ts'
import type { Ran, Running } from '../../../lib/running.ts'
import { root } from '../../../lib/user.ts'

/** The project's name and that of its forwarder. */
export const project = 'shop'
export const forwarderName = `locald-${project}-tunnel-abc123`
/** The network that the project has. */
export const network = 'locald-shop-abc123'

/** What is asked of the daemon's side. */
export interface Ask {
  readonly service?: string
  readonly ports?: readonly number[]
}

/** A daemon's side that runs. */
export class DaemonSide {
  readonly running: Running
  readonly #port: number

  constructor(running: Running, port: number) {
    this.running = running
    this.#port = port
  }

  /** Calls a method; its value. Throws with its error. */
  async call(method: string, ask: Ask = {}): Promise<unknown> {
    const body = JSON.stringify({ method, project, network, ...ask })
    const response = await fetch(`http://127.0.0.1:${this.#port}/`, { method: 'POST', body })
    const { value, error }: { value?: unknown; error?: string } = JSON.parse(await response.text())
    if (error !== undefined) throw new Error(error)
    return value
  }

  /** The flags that containers need to reach these ports. */
  async ensure(ports: readonly number[], service = 'web'): Promise<readonly string[]> {
    const value = await this.call('ensure', { ports, service })
    return Array.isArray(value) ? value.map(String) : []
  }

  /** Lines that it printed with this first word: `call`, `log`. */
  lines(kind: string): readonly string[] {
    const lines = this.running.stdout.split('\n').filter(line => line.startsWith(`${kind} `))
    return lines.map(line => line.slice(kind.length + 1))
  }

  async kill(): Promise<void> {
    this.running.child.kill('SIGKILL')
    await this.running.done
  }
}

/** A sandbox with podman and the project's network. */
export class AccessSandbox extends ContainerSandbox {
  readonly runtime = join(this.home, 'r')
  readonly #program = join(this.home, 'daemon-side.mjs')
  readonly #native = join(this.home, 'native')
  readonly #sides: DaemonSide[] = []

  /** Makes one; `t` removes it. */
  static async make(t: Test): Promise<AccessSandbox> {
    const sandbox = new AccessSandbox(t)
    await sandbox.ask('network', 'create', network)
    return sandbox
  }

  private constructor(t: Test) {
    super(t)
    const source = join(root, 'build', 'test', 'plugins', 'container', 'host-access', 'daemon-side.js')
    const options = { bundle: true, platform: 'node', format: 'esm', banner: esmBanner } as const
    buildSync({ ...options, entryPoints: [source], outfile: this.#program })
    mkdirSync(this.#native)
    copyFileSync(join(root, 'build', 'native', 'locald-tunnel'), join(this.#native, 'locald-tunnel'))
    for (const path of [this.#program, this.#native, join(this.#native, 'locald-tunnel')]) this.own(path)
    this.atEnd(async () => {
      for (const side of this.#sides) await side.kill()
    })
  }

  /** Starts the daemon's side. */
  async daemonSide(): Promise<DaemonSide> {
    const folders = JSON.stringify({ sockets: this.runtime, native: this.#native })
    const running = this.spawn([process.execPath, this.#program, folders, 'podman'], { limitMs: 300_000 })
    await running.prints(/^port \d+$/m)
    const side = new DaemonSide(running, Number(/^port (\d+)$/m.exec(running.stdout)?.[1]))
    this.#sides.push(side)
    return side
  }

  /** Runs a shell command in a container on the network; `flags`: what `ensure` gave. */
  async shell(flags: readonly string[], command: string): Promise<Ran> {
    const image = await this.image('busybox')
    return await this.engine(['run', '--rm', '--network', network, ...flags, image, 'sh', '-c', command]).done
  }

  /** Runs a program of this machine in the network of containers. */
  inNetwork(argv: readonly string[]): Running {
    return this.engine(['unshare', '--rootless-netns', ...argv], { limitMs: 120_000 })
  }
}
