import { messageOf } from '../../kernel/errors.ts'
import type { LocaldEvent, ServiceView } from '../../kernel/events.ts'
import type { KeysQuery, ServiceUsage, StatusAnswer, StatusView } from '../../kernel/protocol.ts'
import type { Paths } from '../../kernel/system/paths.ts'
import type { Client } from '../daemon/client.ts'
import { Connection } from '../follow/connection.ts'
import { isSettled, isShown } from '../output/service-state.ts'

/** Which services to show: those that a query finds, as `isShown` of `Selection` says. */
export interface FeedOptions {
  readonly query: Required<KeysQuery>
  readonly known: boolean
  /** Also hidden services, as `status --json`. */
  readonly json: boolean
}

/** What is called with what happens. */
export interface FeedEvents {
  /** A service, the services or the connection have changed. */
  changed(): void
  /** CPU or memory of services has changed. */
  used(): void
}

/** An event has neither who started a service nor whether the query finds it: both are read so soon after it, ms. */
const settleMs = 200

/** The services that a query finds, as the daemon's events change them, also those of the next daemon. */
export class StatusFeed {
  readonly #paths: Paths
  readonly #options: FeedOptions
  #events: FeedEvents = { changed: () => {}, used: () => {} }
  #connection: Connection | undefined
  #views = new Map<string, StatusView>()
  #timer: NodeJS.Timeout | undefined
  #isAsking = false
  #isStale = false
  /** Whether a daemon has answered; false: nothing is known yet. */
  isLoaded = false
  /** Why the services cannot be read. */
  problem: string | undefined

  constructor(paths: Paths, options: FeedOptions) {
    this.#paths = paths
    this.#options = options
  }

  /** The services to show, in the order of their files. */
  get views(): readonly StatusView[] {
    return [...this.#views.values()].filter(view => this.#isShown(view))
  }

  /** How many services are left out, as they are stopped or hidden. */
  get leftCount(): number {
    return this.#views.size - this.views.length
  }

  /** Whether there is a daemon now. */
  get isConnected(): boolean {
    return this.#connection?.daemon !== undefined
  }

  /** Follows the daemon until closed. */
  async run(first: Client | undefined, events: FeedEvents): Promise<void> {
    this.#events = events
    this.#connection = new Connection(this.#paths, {
      found: () => void this.#ask(),
      usage: usage => this.#applyUsage(usage),
      event: event => this.#apply(event),
      changed: () => this.#connect(),
    })
    await this.#connection.run(first)
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#connection?.close()
  }

  #isShown(view: StatusView): boolean {
    const { json, known, query } = this.#options
    const { all, service } = query
    return (json && !all) || isShown(view, { all, known, names: [service].flat() })
  }

  #connect(): void {
    this.problem = this.#connection?.problem
    this.#events.changed()
  }

  #apply(event: LocaldEvent): void {
    if (event.event === 'service') this.#replace(event.service)
    else if (event.event !== 'removed' && event.event !== 'project') return
    this.#timer ??= setTimeout(() => void this.#ask(), settleMs)
  }

  /** Applies a new state at once: the next one may follow within milliseconds. */
  #replace(view: ServiceView): void {
    const known = this.#views.get(view.key)
    if (known === undefined) return
    const { startedBy = null, leases = [] } = known
    // Events have no usage.
    const usage = isSettled(view) ? {} : { cpu: known.cpu, memory: known.memory }
    this.#views.set(view.key, { ...view, ...usage, startedBy, leases })
    this.#events.changed()
  }

  #applyUsage(changed: readonly ServiceUsage[]): void {
    let hasChanged = false
    for (const { key, cpu, memory } of changed) {
      const known = this.#views.get(key)
      if (known === undefined || (known.cpu === cpu && known.memory === memory)) continue
      this.#views.set(key, { ...known, cpu, memory })
      hasChanged = true
    }
    if (hasChanged) this.#events.used()
  }

  /** Reads the services, and again where something has changed meanwhile. */
  async #ask(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#isStale = true
    if (this.#isAsking) return
    this.#isAsking = true
    for (
      let daemon = this.#connection?.daemon;
      daemon !== undefined && this.#isStale;
      daemon = this.#connection?.daemon
    )
      await this.#read(daemon)
    this.#isAsking = false
  }

  async #read(daemon: Client): Promise<void> {
    this.#isStale = false
    try {
      const { services } = await daemon.get<StatusAnswer>('/v1/services', { ...this.#options.query })
      this.#views = new Map(services.map(view => [view.key, view]))
      this.problem = undefined
      this.isLoaded = true
    } catch (error) {
      // A daemon that exits is reported by the connection.
      if (this.#connection?.daemon === daemon) this.problem = messageOf(error)
    }
    this.#events.changed()
  }
}
