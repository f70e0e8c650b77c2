import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../../../kernel/errors.ts'
import type { LocaldEvent, ServiceView } from '../../../kernel/events.ts'
import type { StatusAnswer } from '../../../kernel/protocol.ts'
import type { Paths } from '../../../kernel/system/paths.ts'
import { type Client, findDaemon, findOrReviveDaemon } from '../../daemon/client.ts'

/** What is called with what the daemon has and does. */
export interface ConnectionEvents {
  /** All services, when connected. */
  found(views: readonly ServiceView[]): void
  /** The usage of all services, from time to time. */
  usage(views: readonly ServiceView[]): void
  event(event: LocaldEvent): void
  /** It was found or lost. */
  changed(): void
}

/** A command that restarts the daemon starts the next one: for this long none is started here, ms. */
const patienceMs = 2000
/** Between two attempts to find a daemon, ms. */
const retryMs = 500
const longestRetryMs = 5000
/** Between two measurements of the usage: while it changes, and at most where it does not, ms. */
const usageMs = 2000
const longestUsageMs = 10_000

/** The connection to the daemon, and to the next one when it exits. */
export class Connection {
  readonly #paths: Paths
  readonly #events: ConnectionEvents
  readonly #closed = new AbortController()
  #daemon: Client | undefined
  #usageTimer: NodeJS.Timeout | undefined
  #usageWaitMs = usageMs
  #lastUsage = ''
  /** When it was lost, ms of Date.now(); undefined: there was none yet. */
  lostMs: number | undefined
  /** Why a daemon could not be started. */
  problem: string | undefined

  constructor(paths: Paths, events: ConnectionEvents) {
    this.#paths = paths
    this.#events = events
  }

  /** The daemon; undefined while there is none. */
  get daemon(): Client | undefined {
    return this.#daemon
  }

  /** Follows the daemon until closed. */
  async run(first: Client | undefined): Promise<void> {
    let next = first
    while (!this.#closed.signal.aborted) {
      if (next !== undefined) await this.#follow(next)
      next = await this.#find()
    }
  }

  close(): void {
    this.#closed.abort()
    clearTimeout(this.#usageTimer)
  }

  /** Measures the usage soon, as something has changed. */
  refresh(): void {
    this.#usageWaitMs = usageMs
    this.#scheduleUsage(refreshMs)
  }

  /** Reads events until the daemon exits. */
  async #follow(daemon: Client): Promise<void> {
    const stream = daemon.stream<LocaldEvent>({ method: 'GET', path: '/v1/events', doing: 'following events' })
    const close = () => stream.close()
    this.#closed.signal.addEventListener('abort', close, { once: true })
    let isFound = false
    try {
      const { services } = await daemon.get<StatusAnswer>('/v1/services', { path: '/', all: true }, answerMs)
      isFound = true
      this.#found(daemon, services)
      for await (const events of stream.batches) for (const event of events) this.#events.event(event)
    } catch (error) {
      this.problem = isFound ? undefined : messageOf(error)
    } finally {
      this.#closed.signal.removeEventListener('abort', close)
      stream.close()
      daemon.close()
      this.#lost()
    }
  }

  #found(daemon: Client, services: readonly ServiceView[]): void {
    this.#daemon = daemon
    this.problem = undefined
    this.#events.found(services)
    this.#events.changed()
    this.refresh()
  }

  #lost(): void {
    clearTimeout(this.#usageTimer)
    if (this.#daemon === undefined) return
    this.#daemon = undefined
    this.lostMs = Date.now()
    this.#events.changed()
  }

  /** Waits for a daemon; starts one only where a killed one has left services to be adopted. */
  async #find(): Promise<Client | undefined> {
    const begunMs = performance.now()
    for (let waitMs = retryMs; !this.#closed.signal.aborted; waitMs = Math.min(longestRetryMs, waitMs * 1.5)) {
      await sleep(waitMs, undefined, { signal: this.#closed.signal }).catch(() => undefined)
      if (this.#closed.signal.aborted) return undefined
      try {
        const isPatient = this.lostMs === undefined || performance.now() - begunMs < patienceMs
        const found = await (isPatient ? findDaemon : findOrReviveDaemon)(this.#paths)
        if (found !== undefined) return found
      } catch (error) {
        this.problem = messageOf(error)
        this.#events.changed()
      }
    }
    return undefined
  }

  #scheduleUsage(afterMs: number): void {
    clearTimeout(this.#usageTimer)
    this.#usageTimer = setTimeout(() => void this.#measure(), afterMs)
  }

  async #measure(): Promise<void> {
    const daemon = this.#daemon
    if (daemon === undefined) return
    try {
      const { services } = await daemon.get<StatusAnswer>('/v1/services', { path: '/', all: true }, answerMs)
      if (daemon !== this.#daemon) return
      this.#events.usage(services)
      const usage = services.map(({ key, cpu, memory }) => `${key} ${roughly(cpu)} ${roughly(memory)}`).join()
      this.#usageWaitMs = usage === this.#lastUsage ? Math.min(longestUsageMs, this.#usageWaitMs * 1.5) : usageMs
      this.#lastUsage = usage
    } catch {
      // The stream of events reports a lost daemon.
    }
    if (daemon === this.#daemon) this.#scheduleUsage(this.#usageWaitMs)
  }
}

/** Returns what is the same for numbers that differ by a few percent. */
function roughly(count: number | null): number {
  return Math.round(8 * Math.log2(1 + (count ?? 0)))
}

/** ms */
const refreshMs = 500
/** The daemon answers from memory: one that takes longer hangs. ms */
const answerMs = 15_000
