import { setMaxListeners } from 'node:events'
import type { Catalog, CatalogEntry } from '../../../kernel/contract/plugin.ts'
import type { Dashboard } from '../../dashboard/provides.ts'
import type { Limits } from '../limits.ts'
import { isOwnName } from '../message/host-name.ts'
import type { RequestInfo } from '../message/request-info.ts'
import * as errorPages from '../pages/errors.ts'
import { type LocalResponse, redirectResponse, type ServiceDetails } from '../pages/responses.ts'
import * as statePages from '../pages/service-states.ts'
import type { Web } from '../provides.ts'
import { type Address, addressOf } from '../upstream/dial.ts'
import { closedEarly } from '../upstream/exchange.ts'
import type { Failure } from '../upstream/forward.ts'
import { Crashes } from './crashes.ts'
import type { Decision, Destination, RequestContext } from './decision.ts'
import { HoldQueue, waitFor } from './hold-queue.ts'
import { OwnPages } from './own-pages.ts'
import { PageReloads, pending } from './page-reload.ts'
import { isRefused } from './reconnect.ts'
import { Recovery } from './recovery.ts'
import { type RouteMatch, RouteTable } from './route-table.ts'

const maxHops = 5

/** What a router knows besides services. */
export interface RouterOptions {
  /** Returns whether plain HTTP requests for a name are redirected to HTTPS. */
  readonly redirect?: (name: string) => boolean
  /** Returns the dashboard, for requests under locald's own names. */
  readonly dashboard?: () => Dashboard | undefined
  /** Begins to start a service that was stopped because it was not used. Never rejects. */
  readonly wake?: (key: string) => Promise<void>
}

/** Whether a request is locald's own: for a host of its own, or by a page of the proxy that waits for an event. */
export function isOwnTraffic({ name, progress }: RequestInfo): boolean {
  return isOwnName(name) || progress !== undefined
}

/** What the servers need of a router. */
export type RequestRouter = Pick<Router, 'close' | 'destinationOf' | 'keyOf' | 'link' | 'recover' | 'route'>

/**
 * Decides how each request is answered, and holds it while its service starts. Knows no sockets: forwarders carry the
 * decisions out.
 */
export class Router {
  readonly #catalog: Catalog
  readonly #web: Web
  readonly #limits: Limits
  readonly #redirect: (name: string) => boolean
  readonly #wake: (key: string) => Promise<void>
  readonly #ownPages: OwnPages
  readonly #routes: RouteTable
  readonly #holdQueue: HoldQueue
  readonly #recovery: Recovery
  readonly #crashes = new Crashes()
  readonly #pageReloads: PageReloads
  readonly #off: () => void
  readonly #closing = new AbortController()

  constructor(catalog: Catalog, web: Web, limits: Limits, { redirect, dashboard, wake }: RouterOptions = {}) {
    this.#catalog = catalog
    this.#web = web
    this.#limits = limits
    this.#redirect = redirect ?? (() => false)
    this.#wake = wake ?? (async () => {})
    this.#ownPages = new OwnPages(catalog, web, dashboard ?? (() => undefined))
    this.#routes = new RouteTable(catalog)
    this.#holdQueue = new HoldQueue(limits)
    this.#recovery = new Recovery(catalog, limits, this.#holdQueue)
    this.#pageReloads = new PageReloads({
      ...{ catalog, limits, holdQueue: this.#holdQueue, crashes: this.#crashes, closing: this.#closing.signal },
      details: entry => this.#details(entry),
    })
    this.#off = catalog.on(event => {
      this.#routes.handle(event)
      this.#crashes.handle(event)
    })
    for (const service of catalog.services()) this.#crashes.handle({ event: 'service', service })
    // Every held request adds a listener.
    setMaxListeners(0, this.#closing.signal)
  }

  /** Adds the link to the dashboard to a page: with its scheme, as the browser is signed in with that one. */
  link(response: LocalResponse, scheme: RequestContext['scheme']): LocalResponse {
    return this.#ownPages.link(response, scheme)
  }

  /** Routes a request; synchronously where its service is running, so that the common request waits for nothing. */
  route(request: RequestContext): Decision | Promise<Decision> {
    const { info } = request
    if (info.hops >= maxHops) return respond(errorPages.requestLoop(info))
    if (request.scheme === 'http' && info.path.startsWith('/') && this.#redirect(info.name)) {
      return respond(redirectResponse(`${this.#web.url(info.name)}${info.path}`))
    }
    if (isOwnName(info.name)) return this.#ownPages.route(request)
    const match = this.#routes.find(info.name, info.path)
    const runs = match.kind === 'service' && (match.entry.status === 'running' || pending.has(match.entry.status))
    const arriving = runs ? undefined : this.#catalog.arriving(info.name)
    if (arriving !== undefined) return this.#holdForProject(arriving, request)
    if (match.kind === 'unknown') return respond(this.#unknownHost(info))
    if (match.kind === 'unowned') return respond(this.#unowned(match))
    const { entry } = match
    if (info.progress !== undefined) return this.#pageReloads.answer(entry, info.progress, request).then(respond)
    if (entry.asleep === true) return this.#wakeUp(entry, request)
    if (pending.has(entry.status)) return this.#hold(entry, request)
    const isRunning = entry.status === 'running'
    const address = addressOf(entry, info.name)
    if (address === undefined)
      return isRunning ? respond(statePages.reportNoPort(entry)) : this.#respondWithState(entry, info)
    const { path, prefix } = match
    const to = { key: entry.key, address, path, prefix, protocol: entry.protocol ?? 'http' }
    if (!isRunning) return this.#forwardToStandIn(entry, info, to)
    return entry.fault === undefined ? { kind: 'forward', to } : this.#unreachable(entry, request, to)
  }

  /**
   * Returns the destination of a plain request to a running service; undefined for all others, which `route` decides.
   */
  destinationOf(host: string, path: string, scheme: 'http' | 'https'): Destination | undefined {
    const name = this.#routes.nameOf(host)
    if (name === undefined || isOwnName(name) || (scheme === 'http' && this.#redirect(name))) return undefined
    const match = this.#routes.find(name, path)
    if (match.kind !== 'service' || match.entry.status !== 'running' || match.entry.fault !== undefined)
      return undefined
    const address = addressOf(match.entry, name)
    // The fast path speaks HTTP/1.1 only.
    if (address === undefined || match.entry.protocol === 'h2c') return undefined
    return { key: match.entry.key, address, path: match.path, prefix: match.prefix, protocol: 'http' }
  }

  /** Returns the key of the service that a request is for, whatever its state; undefined where there is none. */
  keyOf({ name, path }: RequestInfo): string | undefined {
    const match = this.#routes.find(name, path)
    return match.kind === 'service' ? match.entry.key : undefined
  }

  /** Decides again after the service sent no response: it may have crashed, or be restarting at this moment. */
  async recover(request: RequestContext, to: Destination, failure: Failure): Promise<Decision> {
    if (to.address.socket !== undefined) return respond(errorPages.noDashboard())
    const mayRetry = failure.kind === 'refused' || failure.again
    const wasSent = failure.kind === 'broken' || failure.sent
    const findCrash = () => (wasSent ? this.#crashes.since(to.key, request.since) : undefined)
    const hasReturned = findCrash() !== undefined || (await this.#waitForReturn(request, to, failure))
    const crash = findCrash()
    if (crash !== undefined) {
      const times = this.#crashes.suspect(to.key, request.info)
      if (!mayRetry || times > 1) return respond(await this.#crashed(request.info, to.key, crash, times))
    }
    const inTime = performance.now() - request.since < this.#holdQueue.limitOf(this.#catalog, to.key)
    if (mayRetry && inTime && hasReturned) return this.route(request)
    const entry = this.#catalog.get(to.key)
    const fault = await this.#catalog.examine(to.key)
    if (fault !== undefined && entry !== undefined)
      return respond(statePages.reportUnreachable(request.info, entry, fault))
    if (failure.kind === 'refused') return respond(statePages.reportRefused(request.info, to))
    const run = this.#crashes.run(to.key)
    return respond(statePages.reportBroken(request.info, { key: to.key, run, detail: failure.detail }))
  }

  async #waitForReturn(request: RequestContext, to: Destination, failure: Failure): Promise<boolean> {
    if (this.#recovery.hasMoved(to)) return true
    const signals = [request.signal(), this.#closing.signal]
    if (failure.kind === 'refused') return await this.#recovery.waitForReturn(to, true, signals)
    if (failure.again) return await this.#recovery.waitForReturn(to, false, signals)
    // The request is not retried; wait for the crash report, so that the page can show it.
    return failure.detail === closedEarly && (await this.#recovery.waitForChange(to, signals)) === 'value'
  }

  async #crashed(info: RequestInfo, key: string, reason: string, times: number): Promise<LocalResponse> {
    const entry = this.#catalog.get(key)
    const lines = entry === undefined ? [] : (await this.#details(entry)).lines
    return statePages.reportCrash(info, { key, reason, times, run: this.#crashes.run(key), lines })
  }

  /** Answers all held requests with an error. */
  close(): void {
    this.#closing.abort()
    this.#off()
    this.#recovery.close()
  }

  async #hold(entry: CatalogEntry, request: RequestContext): Promise<Decision> {
    if (entry.fault !== undefined && request.info.isNavigation)
      return respond(statePages.reportUnreachable(request.info, entry, entry.fault))
    const release = this.#holdQueue.enter(entry.key)
    if (release === undefined) return respond(errorPages.tooManyRequests(entry.key, entry.status))
    // A service with a known fault stays unreachable until its configuration or code changes.
    const wait = entry.fault === undefined ? this.#holdQueue.limitOf(this.#catalog, entry.key) : this.#limits.reconnect
    const limit = request.info.isNavigation ? this.#limits.progress : wait
    try {
      const rest = request.since + limit - performance.now()
      const waited = await waitFor(rest, [request.signal(), this.#closing.signal], signal =>
        this.#catalog.settled(entry.key, signal),
      )
      if (waited.by === 'abort') return respond(errorPages.shuttingDown())
      if (waited.by === 'time') return respond(await this.#timedOut(entry.key, request))
    } finally {
      release()
    }
    return this.route(request)
  }

  /** Starts a service that was stopped because it was not used, and holds the request, unless a stand-in listens. */
  async #wakeUp(entry: CatalogEntry, request: RequestContext): Promise<Decision> {
    const { info } = request
    const address = addressOf(entry, info.name)
    const match = this.#routes.find(info.name, info.path)
    if (address !== undefined && match.kind === 'service' && (await this.#hasStandIn(entry, address))) {
      const { path, prefix } = match
      return { kind: 'forward', to: { key: entry.key, address, path, prefix, protocol: entry.protocol ?? 'http' } }
    }
    const release = this.#holdQueue.enter(entry.key)
    if (release === undefined) return respond(errorPages.tooManyRequests(entry.key, entry.status))
    try {
      const limit = info.isNavigation ? this.#limits.progress : this.#holdQueue.limitOf(this.#catalog, entry.key)
      const rest = request.since + limit - performance.now()
      const waited = await waitFor(rest, [request.signal(), this.#closing.signal], () => this.#wake(entry.key))
      if (waited.by === 'abort') return respond(errorPages.shuttingDown())
      if (waited.by === 'time') return respond(await this.#timedOut(entry.key, request))
    } finally {
      release()
    }
    return this.route(request)
  }

  /** Holds a request for a project whose start has begun, but whose services are not known yet. */
  async #holdForProject(arriving: Promise<void>, request: RequestContext): Promise<Decision> {
    const { info } = request
    const release = this.#holdQueue.enter(info.name)
    if (release === undefined) return respond(errorPages.tooManyRequests(info.name, 'starting'))
    try {
      const rest = request.since + this.#limits.hold - performance.now()
      const waited = await waitFor(rest, [request.signal(), this.#closing.signal], () => arriving)
      if (waited.by === 'abort') return respond(errorPages.shuttingDown())
      if (waited.by === 'time') return respond(statePages.reportSlowProject(info.name))
    } finally {
      release()
    }
    return this.route(request)
  }

  async #timedOut(key: string, request: RequestContext): Promise<LocalResponse> {
    const entry = this.#catalog.get(key)
    if (entry === undefined) return this.#unknownHost(request.info)
    const { info } = request
    if (entry.fault !== undefined) return statePages.reportUnreachable(info, entry, entry.fault)
    const details = await this.#details(entry)
    return info.isNavigation
      ? statePages.showProgress(info, entry, details)
      : statePages.reportSlowStart(entry, details)
  }

  /** Forwards to the program that listens in place of a service that is not running, if there is one. */
  async #forwardToStandIn(entry: CatalogEntry, info: RequestInfo, to: Destination): Promise<Decision> {
    const hasStandIn = await this.#hasStandIn(entry, to.address)
    return hasStandIn ? { kind: 'forward', to } : this.#respondWithState(entry, info)
  }

  async #hasStandIn({ key, status }: CatalogEntry, address: Address): Promise<boolean> {
    return status !== 'stopping' && !(await isRefused(address)) && (await this.#catalog.hasStandIn(key))
  }

  async #respondWithState(entry: CatalogEntry, info: RequestInfo): Promise<Decision> {
    if (entry.status === 'stopped' || entry.status === 'stopping') return respond(statePages.reportStopped(info, entry))
    return respond(statePages.reportFailed(info, entry, await this.#details(entry)))
  }

  /** Checks again whether a running service is still unreachable. */
  async #unreachable(entry: CatalogEntry, request: RequestContext, to: Destination): Promise<Decision> {
    const fault = await this.#catalog.examine(entry.key)
    return fault === undefined
      ? { kind: 'forward', to }
      : respond(statePages.reportUnreachable(request.info, entry, fault))
  }

  async #details(entry: CatalogEntry): Promise<ServiceDetails> {
    // Without its output the page is still useful.
    const lines =
      this.#limits.lines === 0 ? [] : await this.#catalog.tail(entry.key, this.#limits.lines).catch(() => [])
    return { reason: entry.reason, lines }
  }

  #unknownHost(info: RequestInfo): LocalResponse {
    const known = { projects: this.#catalog.projects(), services: this.#catalog.services() }
    return errorPages.unknownHost(info, this.#routes.names(), known, host => this.#web.url(host))
  }

  #unowned(match: Extract<RouteMatch, { kind: 'unowned' }>): LocalResponse {
    const services = this.#catalog.services().filter(entry => entry.project === match.project.name)
    return errorPages.unownedDomain(match.project, match.service, services, host => this.#web.url(host))
  }
}

function respond(response: LocalResponse): Decision {
  return { kind: 'respond', response }
}
