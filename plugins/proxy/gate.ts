import { setMaxListeners } from 'node:events'
import type { Catalog, CatalogEntry, Status, Web } from '../../kernel/plugin.ts'
import type { About, Answer } from './answers.ts'
import { indexAnswer, newsAnswer, progressAnswer } from './answers.ts'
import type { Address } from './dial.ts'
import type { Head } from './head.ts'
import { Holds, within } from './hold.ts'
import type { Limits } from './limits.ts'
import * as refusal from './refusals.ts'
import { type Place, Table } from './table.ts'

/** Where a request is forwarded to. */
export interface Destination {
  readonly key: string
  readonly address: Address
  /** Path and query to ask for. */
  readonly path: string
  readonly prefix: string | undefined
}

/** What becomes of a request. */
export type Verdict =
  | { readonly do: 'forward'; readonly to: Destination }
  | { readonly do: 'answer'; readonly answer: Answer }

/** A request while it is judged. */
export interface Case {
  readonly head: Head
  /** When it came: performance.now(). */
  readonly since: number
  /** Ends when the client is gone; made only when somebody waits. */
  gone(): AbortSignal
}

const own = new Set(['localhost', '127.0.0.1', '[::1]', 'locald.localhost'])
const pending: ReadonlySet<Status> = new Set(['waiting', 'starting', 'restarting'])
const maxHops = 5

/** Decides what becomes of a request, holding it while its service starts. Knows nothing of sockets: lanes carry out what it says. */
export class Gate {
  readonly #catalog: Catalog
  readonly #web: Web
  readonly #limits: Limits
  readonly #table: Table
  readonly #holds: Holds
  readonly #closing = new AbortController()

  constructor(catalog: Catalog, web: Web, limits: Limits) {
    this.#catalog = catalog
    this.#web = web
    this.#limits = limits
    this.#table = new Table(catalog)
    this.#holds = new Holds(limits)
    // Every request that waits listens.
    setMaxListeners(0, this.#closing.signal)
  }

  /** A verdict at once where the service runs, so that the common request waits for nothing. */
  judge(request: Case): Verdict | Promise<Verdict> {
    const { head } = request
    if (head.hops >= maxHops) return answer(refusal.loop(head))
    if (own.has(head.name)) return answer(this.#own(head))
    const place = this.#table.find(head.name, head.path)
    if (place.to === 'unknown') return answer(this.#unknown(head))
    if (place.to === 'nobody') return answer(this.#nobody(place))
    const { entry } = place
    if (head.progress) return this.#news(entry, request)
    if (pending.has(entry.status)) return this.#hold(entry, request)
    if (entry.status !== 'running') return this.#down(entry)
    const address = entry.upstream ?? (entry.port === null ? undefined : { host: '127.0.0.1', port: entry.port })
    if (address === undefined) return answer(refusal.noPort(entry))
    return { do: 'forward', to: { key: entry.key, address, path: place.path, prefix: place.prefix } }
  }

  /** Nobody listened at the destination and nothing was sent: its service may have crashed or be restarting this moment. */
  async refused(request: Case, to: Destination): Promise<Verdict> {
    const moved = this.#moved(to)
    if (!moved)
      await within(this.#limits.grace, [request.gone(), this.#closing.signal], signal => this.#change(to, signal))
    const inTime = performance.now() - request.since < this.#limits.hold
    if (inTime && this.#moved(to)) return this.judge(request)
    return answer(refusal.nothingListens(to))
  }

  /** Ends all waiting. */
  close(): void {
    this.#closing.abort()
    this.#table.close()
  }

  async #hold(entry: CatalogEntry, request: Case): Promise<Verdict> {
    const release = this.#holds.enter(entry.key)
    if (release === undefined) return answer(refusal.tooMany(entry))
    const limit = request.head.navigation ? this.#limits.progress : this.#limits.hold
    try {
      const left = request.since + limit - performance.now()
      const waited = await within(left, [request.gone(), this.#closing.signal], signal =>
        this.#catalog.settled(entry.key, signal),
      )
      if (waited.by === 'abort') return answer(refusal.closing())
      if (waited.by === 'time') return answer(await this.#late(entry.key, request))
    } finally {
      release()
    }
    return this.judge(request)
  }

  async #late(key: string, request: Case): Promise<Answer> {
    const entry = this.#catalog.get(key)
    if (entry === undefined) return this.#unknown(request.head)
    const about = await this.#about(entry)
    return request.head.navigation ? progressAnswer(entry, about) : refusal.stillStarting(entry, about)
  }

  async #news(entry: CatalogEntry, request: Case): Promise<Verdict> {
    if (!pending.has(entry.status)) return answer(newsAnswer(undefined))
    const release = this.#holds.enter(entry.key)
    try {
      const wait = (signal: AbortSignal) => this.#catalog.settled(entry.key, signal)
      const poll = release === undefined ? 0 : this.#limits.poll
      const waited = await within(poll, [request.gone(), this.#closing.signal], wait)
      const now = this.#catalog.get(entry.key)
      if (waited.by === 'value' || now === undefined) return answer(newsAnswer(undefined))
      return answer(newsAnswer(await this.#about(now)))
    } finally {
      release?.()
    }
  }

  async #down(entry: CatalogEntry): Promise<Verdict> {
    if (entry.status === 'stopped' || entry.status === 'stopping') return answer(refusal.stopped(entry))
    return answer(refusal.failed(entry, await this.#about(entry)))
  }

  async #about(entry: CatalogEntry): Promise<About> {
    // A page without output is better than none.
    const lines = await this.#catalog.tail(entry.key, this.#limits.lines).catch(() => [])
    return { reason: entry.reason, lines }
  }

  #own(head: Head): Answer {
    if (head.method !== 'GET' && head.method !== 'HEAD') return refusal.onlyGet()
    if (head.path !== '/' && !head.path.startsWith('/?')) return refusal.noSuchPage()
    return indexAnswer(this.#catalog.projects(), this.#catalog.services(), host => this.#web.url(host))
  }

  #unknown(head: Head): Answer {
    return refusal.unknownHost(head, this.#table.names(), this.#catalog.services(), host => this.#web.url(host))
  }

  #nobody(place: Extract<Place, { to: 'nobody' }>): Answer {
    const services = this.#catalog.services().filter(entry => entry.project === place.project.name)
    return refusal.nobody(place.project, place.service, services, host => this.#web.url(host))
  }

  #moved(to: Destination): boolean {
    const entry = this.#catalog.get(to.key)
    if (entry === undefined || entry.status !== 'running') return true
    return (
      entry.upstream !== null && (entry.upstream.host !== to.address.host || entry.upstream.port !== to.address.port)
    )
  }

  #change(to: Destination, signal: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      const off = this.#catalog.on(() => {
        if (this.#moved(to)) done()
      })
      const done = (): void => {
        off()
        resolve()
      }
      signal.addEventListener('abort', done, { once: true })
    })
  }
}

function answer(made: Answer): Verdict {
  return { do: 'answer', answer: made }
}
