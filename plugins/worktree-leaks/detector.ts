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
import { LookBudget } from './look-budget.ts'
import { LookSchedule } from './look-schedule.ts'
import { isLoopback, Places } from './places.ts'

/** What the detector works with. */
export interface DetectorInput {
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
/** A look for requests comes that late where no further request follows a pause: ms. */
const graceMs = 50
/** More requests do not wait for one look. */
const mostPending = 200

/** Watches services while several checkouts of a repository run, and finds those that use another checkout's. */
export class LeakDetector {
  readonly #input: DetectorInput
  readonly #off: () => void
  #places = new Places([])
  #unwatch: (() => void) | undefined
  #settling: NodeJS.Timeout | undefined
  /** Undefined where the system does not show connections. */
  readonly #schedule: LookSchedule | undefined
  /** Requests whose client is not known. */
  #pending: ClientRequest[] = []
  readonly #budget = new LookBudget()
  #immediate: NodeJS.Immediate | undefined
  #late: NodeJS.Timeout | undefined
  #looking: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(input: DetectorInput) {
    this.#input = input
    if (input.connections !== undefined) this.#schedule = new LookSchedule(() => this.#lookAgain())
    this.#off = input.catalog.on(({ event }) => {
      if (event !== 'service' && event !== 'removed' && event !== 'project') return
      this.#settling ??= setTimeout(() => this.#refresh(), settleMs).unref()
    })
    this.#refresh()
  }

  close(): void {
    this.#isClosed = true
    this.#off()
    this.#pause()
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
        this.#pause()
        return
      }
      this.#unwatch ??= traffic?.watch(request => this.#see(request))
      for (const leak of this.#places.services.flatMap(from => configuredIn(from, this.#places))) findings.add(leak)
      const isChanged = services.some(({ key, startedMs }) => before.get(key)?.startedMs !== startedMs)
      if (isChanged) this.#schedule?.speedUp('start')
    } catch (error) {
      log.warn(`worktrees could not be compared: ${messageOf(error)}`)
    }
  }

  /** Stops watching, as no repository runs in two checkouts. */
  #pause(): void {
    this.#unwatch?.()
    this.#unwatch = undefined
    this.#schedule?.stop()
    this.#pending = []
  }

  async #lookAgain(): Promise<void> {
    this.#refresh()
    await this.#look()
  }

  /** Sees a request before it is answered. */
  #see(request: ClientRequest): void {
    if (this.#settling !== undefined) this.#refresh()
    const target = this.#places.get(request.service)
    if (target === undefined) return
    this.#schedule?.speedUp('request')
    const page = request.findPage()
    const from = page === undefined ? undefined : this.#places.ofPage(page)
    if (from !== undefined && from.startedMs !== null && this.#places.isLeak(from, target))
      this.#input.findings.add({ from, target, place: request.host, use: 'page' })
    if (!request.isFirst || !isLoopback(plain(request.address)) || this.#pending.length >= mostPending) return
    this.#pending.push(request)
    this.#lookSoon()
  }

  /**
   * Looks before a response can arrive, as the client may disconnect after it. Where looks come too often, the first
   * request after a pause is looked at in this way, and with it those before that are still there.
   */
  #lookSoon(): void {
    if (this.#immediate !== undefined) return
    const wait = this.#budget.take(performance.now())
    if (wait > 0) {
      this.#late ??= setTimeout(() => {
        this.#budget.take(performance.now())
        this.#lookForRequests()
      }, wait + graceMs).unref()
      return
    }
    clearTimeout(this.#late)
    this.#immediate = setImmediate(() => this.#lookForRequests())
  }

  #lookForRequests(): void {
    this.#immediate = undefined
    this.#late = undefined
    const before = performance.now()
    void this.#look().then(() => this.#budget.spend(performance.now() - before))
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
