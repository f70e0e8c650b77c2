import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../../kernel/errors.ts'
import type { LocaldEvent, ServiceView } from '../../kernel/events.ts'
import type { ServiceUsage } from '../../kernel/protocol.ts'
import type { Paths } from '../../kernel/system/paths.ts'
import { type Client, findDaemon, findOrReviveDaemon } from '../daemon/client.ts'
import type { TopicBatch } from '../daemon/topics.ts'

/** What is called with what the daemon has and does. */
export interface ConnectionEvents {
  /** All services, when connected. */
  found(views: readonly ServiceView[]): void
  /** The usage of services, when it has changed. */
  usage(usage: readonly ServiceUsage[]): void
  event(event: LocaldEvent): void
  /** It was found or lost, or there is a problem with it. */
  changed(): void
}

/** A command that restarts the daemon starts the next one: for this long none is started here, ms. */
const patienceMs = 2000
/** Between two attempts to find a daemon, ms. */
const retryMs = 500
const longestRetryMs = 5000
/** The connection to the daemon, and to the next one when it exits. */
export class Connection {
  readonly #paths: Paths
  readonly #events: ConnectionEvents
  readonly #closed = new AbortController()
  #daemon: Client | undefined
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
  }

  /** Reads events until the daemon exits. */
  async #follow(daemon: Client): Promise<void> {
    const stream = daemon.topics(['events', 'usage'], {}, 'following events')
    const close = () => stream.close()
    this.#closed.signal.addEventListener('abort', close, { once: true })
    try {
      for await (const batches of stream.batches) for (const batch of batches) this.#take(daemon, batch)
    } catch (error) {
      this.problem = this.#daemon === undefined ? messageOf(error) : undefined
    } finally {
      this.#closed.signal.removeEventListener('abort', close)
      stream.close()
      daemon.close()
      this.#lost()
    }
  }

  #take(daemon: Client, batch: TopicBatch): void {
    if (batch.topic === 'usage') for (const { services } of batch.values) this.#events.usage(services)
    if (batch.topic !== 'events') return
    for (const event of batch.values) {
      if (event.event === 'snapshot') this.#found(daemon, event.services)
      else this.#events.event(event)
    }
  }

  #found(daemon: Client, services: readonly ServiceView[]): void {
    this.#daemon = daemon
    this.problem = undefined
    this.#events.found(services)
    this.#events.changed()
  }

  #lost(): void {
    if (this.#daemon !== undefined) this.lostMs = Date.now()
    this.#daemon = undefined
    if (!this.#closed.signal.aborted) this.#events.changed()
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
}
