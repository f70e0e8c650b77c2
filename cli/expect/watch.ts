import type { LogLine } from '../../kernel/events.ts'
import type { ExchangeView } from '../../plugins/proxy/provides.ts'
import type { Client, Stream } from '../daemon/client.ts'
import type { Expectation } from './pattern.ts'

/** What is watched. */
export interface Scope {
  readonly path: string
  /** Keys of services. */
  readonly keys: readonly string[]
  /** Host names whose requests count although no service was asked: the domain, and all below it. */
  readonly domain: string | undefined
}

/** An expectation that was met. */
export interface Met {
  readonly expectation: Expectation
  /** UTC ISO 8601. */
  readonly time: string
  /** Id of the request, or the line. */
  readonly by: string
}

/** Of requests and of lines that are kept, for what is printed of an expectation that was not met. */
const mostKept = 500

/**
 * Watches requests and lines of output from a moment on, and notes which expectations they meet. The subscription is
 * made before the caller's command starts, and the daemon keeps both, so that nothing is missed.
 */
export class Watch {
  readonly requests: ExchangeView[] = []
  readonly lines: LogLine[] = []
  readonly met = new Map<Expectation, Met>()
  readonly #scope: Scope
  readonly #open: Set<Expectation>
  readonly #streams: Stream<unknown>[] = []
  #since = ''
  #resolve: () => void = () => {}
  #reject: (error: unknown) => void = () => {}
  /** Resolves when all expectations are met; rejects when the daemon is lost. */
  readonly allMet: Promise<void>

  constructor(scope: Scope, expectations: readonly Expectation[]) {
    this.#scope = scope
    this.#open = new Set(expectations)
    this.allMet = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    // Awaited only after the command has started.
    this.allMet.catch(() => undefined)
    if (this.#open.size === 0) this.#resolve()
  }

  /** Subscribes. Resolves when what happens from then on is seen. */
  async start(client: () => Promise<Client>): Promise<void> {
    const { path, keys } = this.#scope
    const [first, second] = [await client(), await client()]
    await new Promise<void>((resolve, reject) => {
      const stream = first.stream<ExchangeView>({
        ...{ method: 'GET', path: '/v1/requests/follow', query: { tail: 0 }, doing: 'watching requests' },
        onOpen: resolve,
      })
      void this.#read(stream, row => this.#takeRequest(row)).catch(reject)
    })
    this.#since = new Date().toISOString()
    // Lines are on disk: those from now on come, also if they are written before this request arrives.
    const query = { path, service: keys, since: this.#since, follow: true }
    const stream = second.stream<LogLine>({ method: 'GET', path: '/v1/logs', query, doing: 'watching logs' })
    void this.#read(stream, line => this.#takeLine(line)).catch(this.#reject)
  }

  /** Expectations that are not met. */
  get unmet(): readonly Expectation[] {
    return [...this.#open]
  }

  close(): void {
    for (const stream of this.#streams) stream.close()
  }

  async #read<T>(stream: Stream<T>, take: (value: T) => void): Promise<void> {
    this.#streams.push(stream)
    try {
      for await (const values of stream.batches) for (const value of values) take(value)
    } catch (error) {
      this.#reject(error)
      throw error
    }
  }

  #takeRequest(row: ExchangeView): void {
    // What was sent before the command started is not its doing.
    if (row.time < this.#since || !this.#isOfScope(row)) return
    keepLast(this.requests, row)
    for (const expectation of this.#open)
      if (expectation.isMetByRequest(row)) this.#note({ expectation, time: row.time, by: row.id })
  }

  #takeLine(line: LogLine): void {
    keepLast(this.lines, line)
    for (const expectation of this.#open)
      if (expectation.isMetByLine(line)) this.#note({ expectation, time: line.time, by: line.text })
  }

  #isOfScope({ service, host }: ExchangeView): boolean {
    if (service !== null) return this.#scope.keys.includes(service)
    const { domain } = this.#scope
    return domain !== undefined && (host === domain || host.endsWith(`.${domain}`))
  }

  #note(met: Met): void {
    this.#open.delete(met.expectation)
    this.met.set(met.expectation, met)
    if (this.#open.size === 0) this.#resolve()
  }
}

function keepLast<T>(list: T[], value: T): void {
  list.push(value)
  if (list.length > mostKept) list.shift()
}
