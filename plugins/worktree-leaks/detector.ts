import type {
  Catalog,
  ClientRequest,
  Connection,
  ConnectionWatch,
  Log,
  Traffic,
  WorktreeService,
  Worktrees,
} from '../../kernel/contract/plugin.ts'
import { messageOf } from '../../kernel/errors.ts'
import { findConfigured } from './addresses.ts'
import type { Findings, Leak } from './findings.ts'
import { isLoopback, Places } from './places.ts'

/** What the alarm works with. */
export interface AlarmInput {
  readonly worktrees: Pick<Worktrees, 'services'>
  readonly catalog: Pick<Catalog, 'on'>
  readonly findings: Findings
  readonly traffic: Pick<Traffic, 'watch'> | undefined
  /** The ports on which the proxy listens. */
  readonly proxyPorts: () => readonly number[]
  /** Undefined where the system does not show connections. */
  readonly connections: ConnectionWatch | undefined
  readonly log: Log
}

/** Changes that come together are looked at once: ms. */
const settleMs = 100
/**
 * How often connections are looked at: the first pace lasts from a start, or a request through the proxy, the second one
 * follows it: ms. A look costs milliseconds, which is little while services are used, and too much while none is.
 */
const paces = [
  { everyMs: 1000, startMs: 20_000, requestMs: 3000 },
  { everyMs: 5000, startMs: 120_000, requestMs: 10_000 },
] as const
const idleMs = 15_000
/** The shortest time between two looks for requests: ms. */
const pauseMs = 50
/** More requests do not wait for one look. */
const mostPending = 200

/** Watches services while several checkouts of a repository run, and finds those that use another checkout's. */
export class LeakAlarm {
  readonly #input: AlarmInput
  readonly #off: () => void
  #places = new Places([])
  #unwatch: (() => void) | undefined
  #settling: NodeJS.Timeout | undefined
  #timer: NodeJS.Timeout | undefined
  /** Until when each pace lasts: performance.now(). */
  readonly #until = paces.map(() => 0)
  /** When the next look is due: performance.now(). */
  #dueAt = Number.POSITIVE_INFINITY
  /** Requests whose client is not known. */
  #pending: ClientRequest[] = []
  #request: NodeJS.Immediate | NodeJS.Timeout | undefined
  #lookedAt = 0
  #looking: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(input: AlarmInput) {
    this.#input = input
    this.#off = input.catalog.on(({ event }) => {
      if (event !== 'service' && event !== 'removed' && event !== 'project') return
      this.#settling ??= setTimeout(() => this.#refresh(), settleMs).unref()
    })
    this.#refresh()
  }

  close(): void {
    this.#isClosed = true
    this.#off()
    this.#rest()
    clearTimeout(this.#settling)
  }

  /** Reads which services run, and what their environments have. */
  #refresh(): void {
    clearTimeout(this.#settling)
    this.#settling = undefined
    if (this.#isClosed) return
    const { worktrees, findings, traffic, log } = this.#input
    try {
      const before = this.#places
      this.#places = new Places(worktrees.services())
      findings.retain(this.#places)
      const { services } = this.#places
      if (services.length === 0) {
        this.#rest()
        return
      }
      this.#unwatch ??= traffic?.watch(request => this.#see(request))
      for (const leak of this.#places.services.flatMap(from => configuredIn(from, this.#places))) findings.add(leak)
      const isChanged = services.some(({ key, startedMs }) => before.get(key)?.startedMs !== startedMs)
      if (isChanged) this.#hasten('startMs')
    } catch (error) {
      log.warn(`worktrees could not be compared: ${messageOf(error)}`)
    }
  }

  /** Stops to watch, as no repository runs in two checkouts. */
  #rest(): void {
    this.#unwatch?.()
    this.#unwatch = undefined
    clearTimeout(this.#timer)
    this.#dueAt = Number.POSITIVE_INFINITY
    this.#pending = []
  }

  /** Looks more often for a while. */
  #hasten(why: 'startMs' | 'requestMs'): void {
    const now = performance.now()
    for (const [at, pace] of paces.entries()) this.#until[at] = Math.max(this.#until[at] ?? 0, now + pace[why])
    if (this.#dueAt > now + paces[0].everyMs) this.#schedule()
  }

  #schedule(): void {
    clearTimeout(this.#timer)
    if (this.#isClosed || this.#input.connections === undefined || this.#places.services.length === 0) return
    const now = performance.now()
    const ms = paces.find((_, at) => now < (this.#until[at] ?? 0))?.everyMs ?? idleMs
    this.#dueAt = now + ms
    this.#timer = setTimeout(() => {
      this.#refresh()
      void this.#look().then(() => this.#schedule())
    }, ms).unref()
  }

  /** Sees a request before it is answered. */
  #see(request: ClientRequest): void {
    if (this.#settling !== undefined) this.#refresh()
    const target = this.#places.get(request.service)
    if (target === undefined) return
    this.#hasten('requestMs')
    const page = request.findPage()
    const from = page === undefined ? undefined : this.#places.ofPage(page)
    if (from !== undefined && from.startedMs !== null && this.#places.isLeak(from, target))
      this.#input.findings.add({ from, target, place: request.host, use: 'page' })
    if (!request.isFirst || !isLoopback(plain(request.address)) || this.#pending.length >= mostPending) return
    this.#pending.push(request)
    this.#request ??= this.#defer(() => {
      this.#request = undefined
      void this.#look()
    })
  }

  /** Looks before a response can arrive, as the client may disconnect after it; later where looks come too often. */
  #defer(look: () => void): NodeJS.Immediate | NodeJS.Timeout {
    const wait = this.#lookedAt + pauseMs - performance.now()
    return wait > 0 ? setTimeout(look, wait).unref() : setImmediate(look)
  }

  /** Looks at the connections of all services; one look after the other. */
  #look(): Promise<void> {
    this.#looking = this.#looking
      .then(() => this.#examine())
      .catch(error => this.#input.log.warn(`the connections of services are not known: ${messageOf(error)}`))
    return this.#looking
  }

  async #examine(): Promise<void> {
    const pending = this.#pending
    this.#pending = []
    const places = this.#places
    const running = places.services.flatMap(service =>
      service.tree === undefined ? [] : { service, tree: service.tree },
    )
    const found = (await this.#input.connections?.look(running.map(({ tree }) => tree))) ?? []
    this.#lookedAt = performance.now()
    for (const connection of found) {
      const from = running[connection.tree]?.service
      if (from === undefined || from.ports.includes(connection.localPort)) continue
      this.#examineOne(from, connection, pending)
    }
  }

  #examineOne(from: WorktreeService, connection: Connection, pending: readonly ClientRequest[]): void {
    const { localAddress, localPort, remoteAddress, remotePort } = connection
    const { findings, proxyPorts } = this.#input
    // To an address of this machine: both ends are the same, or on loopback.
    if (remoteAddress !== localAddress && !isLoopback(remoteAddress)) return
    const direct = this.#places.atPort(from, remotePort)
    if (direct !== undefined) findings.add({ from, target: direct, place: remotePort, use: 'connection' })
    if (!proxyPorts().includes(remotePort)) return
    for (const request of pending.filter(({ port }) => port === localPort)) {
      const target = this.#places.get(request.service)
      if (target !== undefined && this.#places.isLeak(from, target))
        findings.add({ from, target, place: request.host, use: 'connection' })
    }
  }
}

/** Finds the leaks that a service's environment will cause. */
function configuredIn(from: WorktreeService, places: Places): readonly Leak[] {
  if (from.startedMs === null) return []
  return findConfigured(from, places).map(found => ({ ...found, from, use: 'environment' }))
}

/** Returns an IPv4 address without the prefix of an IPv6 socket (RFC 4291 section 2.5.5.2). */
function plain(address: string): string {
  return address.replace(/^::ffff:/i, '')
}
