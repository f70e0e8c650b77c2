import type { Test } from 'tap'
import { systemCode } from '../../kernel/errors.ts'
import { type Address, ask, sizeOf } from '../lib/raw-http.ts'
import { until } from '../lib/running.ts'
import type { Sandbox } from '../lib/sandbox.ts'
import type { Machine } from './suite.ts'

export const MB = 1024 * 1024

/**
 * The daemon may be so much larger in the middle of it, and so much when it is over, when its garbage may not have been
 * collected yet: bytes.
 */
const mostMore = 200 * MB

const leftMore = 100 * MB

/** The same for what is given back as soon as it is quiet, as are connections of TLS, each 40 to 100 KB. */
export const secureLeftMore = 32 * MB

/** Descriptors that a daemon may open for a moment on its own. */
const fdsMore = 40

/** Others are served within so long, the median of some: ms. */
const servedMs = 1000

/** Prints as fast as it can, and returns the number of lines over HTTP. */
export const chatty = `
  import { createServer } from 'node:http'
  import { writeSync } from 'node:fs'
  let count = 0
  createServer((request, response) => response.end(request.url === '/big' ? 'x'.repeat(20_000_000) : String(count)))
    .listen(Number(process.env.PORT), '127.0.0.1')
  const line = '.'.repeat(100) + '\\n'
  const turn = () => {
    for (let i = 0; i < 20; i++) writeSync(1, line)
    count += 20
    setImmediate(turn)
  }
  turn()
`

/** A daemon with a project to attack, and what it takes itself to be. */
export class Target {
  readonly box: Sandbox
  readonly api: Address
  readonly proxy: Address
  readonly host: string
  readonly folder: string
  readonly pid: number
  readonly before: { readonly memory: number; readonly fds: number }
  #most = 0

  private constructor(fields: Pick<Target, 'box' | 'api' | 'proxy' | 'host' | 'folder' | 'pid'>) {
    this.box = fields.box
    this.api = fields.api
    this.proxy = fields.proxy
    this.host = fields.host
    this.folder = fields.folder
    this.pid = fields.pid
    this.before = sizeOf(fields.pid)
  }

  /** The daemon is made to work a little first: what it then has is what it is measured by. */
  static async start(machine: Machine, command: string): Promise<Target> {
    const box = machine.sandbox()
    const folder = box.project('target', {
      'locald.toml': `
        [project]
        name = "target"
        [services.target]
        command = "exec ${process.execPath} ${command}"
        tty = false
        [services.calm]
        command = "exec ${process.execPath} quiet.mjs"
      `,
      'chatty.mjs': chatty,
      'quiet.mjs': chatty.replace(/ {2}turn\(\)\n/, ''),
    })
    await box.up(folder)
    const { pid, socket, http } = await box.server()
    const api = { path: socket }
    const proxy = { port: http ?? 0, host: '127.0.0.1' }
    const fields = { box, folder, pid, api, proxy, host: `target.localhost:${http}` }
    const warm = new Target(fields)
    for (let i = 0; i < 10; i++) await Promise.all(Array.from({ length: 20 }, () => warm.status()))
    return new Target(fields)
  }

  status() {
    return retried(() => ask(this.api, `/v1/services?path=${encodeURIComponent(this.folder)}`))
  }

  /** The service that is made to do much. */
  busy() {
    return ask(this.proxy, '/', { headers: { host: this.host } })
  }

  /** The one that is not. */
  calm() {
    return ask(this.proxy, '/', { headers: { host: `calm.${this.host}` } })
  }

  /** Others, of the socket and of the proxy, are served, and the daemon has not grown without a bound. */
  async serves(t: Test, when: string): Promise<void> {
    const times: number[] = []
    for (let i = 0; i < 5; i++) {
      const [status, web] = [await this.status(), await this.calm()]
      if (status.status !== 200 || web.status !== 200)
        t.fail(`${when}: ${status.status} and ${web.status}: ${web.body}`)
      times.push(status.ms, web.ms)
    }
    const median = times.sort((a, b) => a - b)[times.length / 2] ?? Number.NaN
    t.ok(median < servedMs, `${when} others are served: ${Math.round(median)} ms`)
    const { memory } = this.look()
    t.ok(memory - this.before.memory < mostMore, `${when} it has ${show(memory - this.before.memory)} more`)
  }

  /** The most it has had, for what comes and goes while something is going on. */
  look() {
    const size = sizeOf(this.pid)
    this.#most = Math.max(this.#most, size.memory)
    return size
  }

  /** It is what it was. */
  async over(t: Test): Promise<void> {
    await until('its descriptors to be closed', () => this.look().fds <= this.before.fds + fdsMore, 90_000)
    await until('its memory to be given back', () => this.look().memory < this.before.memory + leftMore, 30_000)
    const { memory, fds } = this.look()
    t.comment(
      `before ${show(this.before.memory)}, at most ${show(this.#most)}, now ${show(memory)}; ${fds} descriptors`,
    )
    t.ok(this.#most - this.before.memory < mostMore, 'it never was much more')
    t.equal((await this.box.server()).pid, this.pid, 'it is the same daemon')
    t.match(
      (await this.box.status(this.folder)).map(({ status, restarts }) => ({ status, restarts })),
      [{ status: 'running', restarts: 0 }],
    )
  }
}

const show = (bytes: number) => `${Math.round(bytes / MB)} MB`

/** A full queue of connections is not the daemon's refusal: the CLI tries again, too. */
async function retried<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (systemCode(error) !== 'EAGAIN') throw error
      await new Promise(wake => setTimeout(wake, 10))
    }
  }
}
