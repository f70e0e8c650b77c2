import { setMaxListeners } from 'node:events'
import type { Catalog, CatalogEntry } from '../../../kernel/contract/plugin.ts'
import type { Limits } from '../limits.ts'
import type { Head } from '../message/request-info.ts'
import * as refusal from '../pages/errors.ts'
import type { About, Answer } from '../pages/responses.ts'
import { indexAnswer, redirectAnswer } from '../pages/responses.ts'
import * as outage from '../pages/service-states.ts'
import type { Web } from '../service.ts'
import { addressOf } from '../upstream/dial.ts'
import { closedEarly } from '../upstream/exchange.ts'
import { Crashes } from './crashes.ts'
import type { Case, Destination, Failure, Verdict } from './decision.ts'
import { Holds, within } from './hold-queue.ts'
import { News, pending } from './page-reload.ts'
import { refuses } from './reconnect.ts'
import { Recovery } from './recovery.ts'
import { type Place, Table } from './route-table.ts'

const own = new Set(['localhost', '127.0.0.1', '[::1]', 'locald.localhost'])
const maxHops = 5

/** Decides what becomes of a request, holding it while its service starts. Knows nothing of sockets: lanes carry out what it says. */
export class Gate {
  readonly #catalog: Catalog
  readonly #web: Web
  readonly #limits: Limits
  readonly #redirect: (name: string) => boolean
  readonly #table: Table
  readonly #holds: Holds
  readonly #recovery: Recovery
  readonly #crashes = new Crashes()
  readonly #news: News
  readonly #off: () => void
  readonly #closing = new AbortController()

  /** @param redirect whether plain requests for a name are sent to HTTPS */
  constructor(catalog: Catalog, web: Web, limits: Limits, redirect: (name: string) => boolean = () => false) {
    this.#catalog = catalog
    this.#web = web
    this.#limits = limits
    this.#redirect = redirect
    this.#table = new Table(catalog)
    this.#holds = new Holds(limits)
    this.#recovery = new Recovery(catalog, limits, this.#holds)
    this.#news = new News({
      ...{ catalog, limits, holds: this.#holds, crashes: this.#crashes, closing: this.#closing.signal },
      about: entry => this.#about(entry),
    })
    this.#off = catalog.on(event => {
      this.#table.hear(event)
      this.#crashes.hear(event)
    })
    for (const service of catalog.services()) this.#crashes.hear({ event: 'service', service })
    // Every request that waits listens.
    setMaxListeners(0, this.#closing.signal)
  }

  /** A verdict at once where the service runs, so that the common request waits for nothing. */
  judge(request: Case): Verdict | Promise<Verdict> {
    const { head } = request
    if (head.hops >= maxHops) return answer(refusal.loop(head))
    if (request.scheme === 'http' && head.path.startsWith('/') && this.#redirect(head.name)) {
      return answer(redirectAnswer(`${this.#web.url(head.name)}${head.path}`))
    }
    if (own.has(head.name)) return answer(this.#own(head))
    const place = this.#table.find(head.name, head.path)
    const runs = place.to === 'service' && (place.entry.status === 'running' || pending.has(place.entry.status))
    const arriving = runs ? undefined : this.#catalog.arriving(head.name)
    if (arriving !== undefined) return this.#arrival(arriving, request)
    if (place.to === 'unknown') return answer(this.#unknown(head))
    if (place.to === 'nobody') return answer(this.#nobody(place))
    const { entry } = place
    if (head.progress !== undefined) return this.#news.answer(entry, head.progress, request).then(answer)
    if (pending.has(entry.status)) return this.#hold(entry, request)
    const isRunning = entry.status === 'running'
    const address = addressOf(entry, head.name)
    if (address === undefined) return isRunning ? answer(outage.noPort(entry)) : this.#down(entry, head)
    const { path, prefix } = place
    const to = { key: entry.key, address, path, prefix, protocol: entry.protocol ?? 'http' }
    if (!isRunning) return this.#idle(entry, head, to)
    return entry.fault === undefined ? { do: 'forward', to } : this.#unreachable(entry, request, to)
  }

  /** Where a plain request goes whose service runs; undefined where there is more to be said, which `judge` then says. */
  direct(host: string, path: string, scheme: 'http' | 'https'): Destination | undefined {
    const name = this.#table.nameOf(host)
    if (name === undefined || own.has(name) || (scheme === 'http' && this.#redirect(name))) return undefined
    const place = this.#table.find(name, path)
    if (place.to !== 'service' || place.entry.status !== 'running' || place.entry.fault !== undefined) return undefined
    const address = addressOf(place.entry, name)
    // The fast lane speaks HTTP/1.1 only.
    if (address === undefined || place.entry.protocol === 'h2c') return undefined
    return { key: place.entry.key, address, path: place.path, prefix: place.prefix, protocol: 'http' }
  }

  /** No response came: its service may have crashed or be restarting this moment. */
  async failed(request: Case, to: Destination, failure: Failure): Promise<Verdict> {
    const mayRepeat = failure.kind === 'refused' || failure.again
    const wasSent = failure.kind === 'broken' || failure.sent
    const crashOf = () => (wasSent ? this.#crashes.since(to.key, request.since) : undefined)
    const returns = crashOf() !== undefined || (await this.#returns(request, to, failure))
    const crash = crashOf()
    if (crash !== undefined) {
      const times = this.#crashes.suspect(to.key, request.head)
      if (!mayRepeat || times > 1) return answer(await this.#crashed(request.head, to.key, crash, times))
    }
    const inTime = performance.now() - request.since < this.#limits.hold
    if (mayRepeat && inTime && returns) return this.judge(request)
    const entry = this.#catalog.get(to.key)
    const fault = await this.#catalog.examine(to.key)
    if (fault !== undefined && entry !== undefined) return answer(outage.unreachable(request.head, entry, fault))
    if (failure.kind === 'refused') return answer(outage.nothingListens(request.head, to))
    const run = this.#crashes.run(to.key)
    return answer(outage.broken(request.head, { key: to.key, run, detail: failure.detail }))
  }

  async #returns(request: Case, to: Destination, failure: Failure): Promise<boolean> {
    if (this.#recovery.moved(to)) return true
    const signals = [request.gone(), this.#closing.signal]
    if (failure.kind === 'refused') return await this.#recovery.returns(to, true, signals)
    if (failure.again) return await this.#recovery.returns(to, false, signals)
    // It is not sent again; whether its service has crashed is to be said.
    return failure.detail === closedEarly && (await this.#recovery.changes(to, signals)) === 'value'
  }

  async #crashed(head: Head, key: string, reason: string, times: number): Promise<Answer> {
    const entry = this.#catalog.get(key)
    const lines = entry === undefined ? [] : (await this.#about(entry)).lines
    return outage.crashed(head, { key, reason, times, run: this.#crashes.run(key), lines })
  }

  /** Ends all waiting. */
  close(): void {
    this.#closing.abort()
    this.#off()
    this.#recovery.close()
  }

  async #hold(entry: CatalogEntry, request: Case): Promise<Verdict> {
    if (entry.fault !== undefined && request.head.navigation)
      return answer(outage.unreachable(request.head, entry, entry.fault))
    const release = this.#holds.enter(entry.key)
    if (release === undefined) return answer(refusal.tooMany(entry.key, entry.status))
    const { hold, progress, reopening } = this.#limits
    // Who waits for what cannot be reached as it is waits in vain.
    const limit = request.head.navigation ? progress : entry.fault === undefined ? hold : reopening
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

  /** Its project is about to be started: which services it has is not known yet. */
  async #arrival(arriving: Promise<void>, request: Case): Promise<Verdict> {
    const { head } = request
    const release = this.#holds.enter(head.name)
    if (release === undefined) return answer(refusal.tooMany(head.name, 'starting'))
    try {
      const left = request.since + this.#limits.hold - performance.now()
      const waited = await within(left, [request.gone(), this.#closing.signal], () => arriving)
      if (waited.by === 'abort') return answer(refusal.closing())
      if (waited.by === 'time') return answer(outage.stillArriving(head.name))
    } finally {
      release()
    }
    return this.judge(request)
  }

  async #late(key: string, request: Case): Promise<Answer> {
    const entry = this.#catalog.get(key)
    if (entry === undefined) return this.#unknown(request.head)
    const { head } = request
    if (entry.fault !== undefined) return outage.unreachable(head, entry, entry.fault)
    const about = await this.#about(entry)
    return head.navigation ? outage.progress(head, entry, about) : outage.stillStarting(entry, about)
  }

  /** It does not run; what was started in its place answers for it. */
  async #idle(entry: CatalogEntry, head: Head, to: Destination): Promise<Verdict> {
    const hasStandIn =
      entry.status !== 'stopping' && !(await refuses(to.address)) && (await this.#catalog.hasStandIn(entry.key))
    return hasStandIn ? { do: 'forward', to } : this.#down(entry, head)
  }

  async #down(entry: CatalogEntry, head: Head): Promise<Verdict> {
    if (entry.status === 'stopped' || entry.status === 'stopping') return answer(outage.stopped(head, entry))
    return answer(outage.failed(head, entry, await this.#about(entry)))
  }

  /** It was found that it cannot be reached: that may have been put right. */
  async #unreachable(entry: CatalogEntry, request: Case, to: Destination): Promise<Verdict> {
    const fault = await this.#catalog.examine(entry.key)
    return fault === undefined ? { do: 'forward', to } : answer(outage.unreachable(request.head, entry, fault))
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
    const known = { projects: this.#catalog.projects(), services: this.#catalog.services() }
    return refusal.unknownHost(head, this.#table.names(), known, host => this.#web.url(host))
  }

  #nobody(place: Extract<Place, { to: 'nobody' }>): Answer {
    const services = this.#catalog.services().filter(entry => entry.project === place.project.name)
    return refusal.nobody(place.project, place.service, services, host => this.#web.url(host))
  }
}

function answer(made: Answer): Verdict {
  return { do: 'answer', answer: made }
}
