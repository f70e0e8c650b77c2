import { createInterface } from 'node:readline'
import { LocaldError } from '../../../kernel/errors.ts'
import { type Child, startChild } from '../../lib/child.ts'
import { findProgram, pathFolders } from '../../lib/programs.ts'
import type { Front, FrontOrigin } from '../../proxy/provides.ts'
import { listenOn, portError } from '../listen.ts'
import type { SharePlace } from '../provides.ts'
import type { Way, WayInput } from '../way.ts'
import { type TunnelProgram, tunnelPrograms } from './programs.ts'

/** A tunnel has its URL within a few seconds, where it has one, ms. */
const urlMs = 30_000
/** Lines of output for the error. */
const maxLines = 3
const maxLine = 300
const loopback = '127.0.0.1'

/** A service behind the tunnel of another program, which exits with the daemon at the latest. */
export class TunnelShare implements Way {
  readonly notes: readonly string[] = []
  readonly #input: WayInput
  readonly #program: TunnelProgram
  readonly #front: Front
  readonly #lines: string[] = []
  #child: Child | undefined
  #origin: FrontOrigin | undefined
  #isClosed = false

  private constructor(input: WayInput, program: TunnelProgram) {
    this.#input = input
    this.#program = program
    this.#front = input.openFront({ key: input.key, originOf: host => this.#originOf(host), isTunnel: true })
  }

  /** Starts the program and waits for its URL. Throws FEATURE_OFF where it is not installed, else SHARE_FAILED. */
  static async open(name: TunnelProgram['name'], input: WayInput): Promise<TunnelShare> {
    const program = tunnelPrograms[name]
    const path = await findProgram([name], pathFolders(process.env['PATH']))
    if (path === undefined) {
      throw new LocaldError('FEATURE_OFF', `${name} is not installed`, { service: input.key, hint: program.install })
    }
    const share = new TunnelShare(input, program)
    try {
      await share.#start(path)
    } catch (error) {
      await share.close()
      throw error
    }
    return share
  }

  get places(): readonly SharePlace[] {
    return this.#origin === undefined ? [] : [{ url: `https://${this.#origin.host}`, network: null }]
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#child?.stop()
    await this.#front.close()
  }

  /** Requests for other names do not come by the tunnel: pages of other sites may have made them. */
  #originOf(host: string): FrontOrigin | undefined {
    return host.replace(/:443$/, '') === this.#origin?.host ? this.#origin : undefined
  }

  async #start(path: string): Promise<void> {
    const { key, ports } = this.#input
    const bound = await listenOn(this.#front.createServer(), loopback, 0)
    if (typeof bound === 'string') throw portError(key, loopback, 0, bound)
    const [publicPort = bound.port] = ports
    const child = startChild({ argv: [path, ...this.#program.words(bound.port, publicPort)], env: process.env })
    this.#child = child
    const url = await this.#waitForUrl(child)
    if (typeof url !== 'string') throw this.#error(url.failure)
    this.#origin = { scheme: 'https', host: new URL(url).host }
    void child.exited.then(code => {
      if (!this.#isClosed) this.#input.failed(this.#describeExit(code))
    })
  }

  #waitForUrl(child: Child): Promise<string | { readonly failure: string }> {
    const { signal } = this.#input
    const over = AbortSignal.any([signal, AbortSignal.timeout(urlMs)])
    return new Promise(resolve => {
      const fail = (failure: string): void => resolve({ failure })
      const giveUp = (): void => fail(signal.aborted ? 'stopped' : this.#withLines(`no URL after ${urlMs / 1000} s`))
      const read = (line: string): void => {
        const found = this.#program.read(line)
        if (line.trim() !== '') this.#lines.push(line.trim().slice(0, maxLine))
        if (this.#lines.length > maxLines) this.#lines.shift()
        if (found !== undefined) resolve('url' in found ? found.url : found)
      }
      // Read to the end: it would wait for a full pipe.
      for (const input of [child.stdout, child.stderr]) createInterface({ input }).on('line', read)
      void child.exited.then(code => fail(this.#describeExit(code)))
      over.addEventListener('abort', giveUp, { once: true })
      if (over.aborted) giveUp()
    })
  }

  #describeExit(code: number | null): string {
    return this.#withLines(`${this.#program.name} ${code === null ? 'was killed' : `exited with code ${code}`}`)
  }

  #withLines(text: string): string {
    return this.#lines.length === 0 ? text : `${text}: ${this.#lines.join(' / ')}`
  }

  #error(failure: string): LocaldError {
    const { key } = this.#input
    return new LocaldError('SHARE_FAILED', `${this.#program.name} opened no tunnel: ${failure}`, {
      service: key,
      hint: `Run \`${this.#program.name}\` by hand to see what it needs, such as an account.`,
    })
  }
}
