import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../../../kernel/errors.ts'
import type { LogLine } from '../../../kernel/events.ts'
import { LogPosition } from '../../../kernel/logs/log-position.ts'
import type { Client, Query, Stream } from '../../daemon/client.ts'

/** What is called with what comes. */
export interface LogFeedEvents {
  /** Another log is followed from now on. */
  opened(): void
  lines(lines: readonly LogLine[]): void
  failed(message: string): void
}

/** How many lines of the past are read: of all services together, or of the only one. */
const pastLines = 1000
/** A selection that moves on within this time is not followed, ms. */
const settleMs = 60

/** Follows the logs of some services, and continues with the next daemon without a line twice or missing. */
export class LogFeed {
  readonly #events: LogFeedEvents
  #keys: readonly string[] = []
  #daemon: Client | undefined
  #stream: Stream<LogLine> | undefined
  #position: LogPosition | undefined
  #turn = 0

  constructor(events: LogFeedEvents) {
    this.#events = events
  }

  /** Follows these services, of which there may be none. */
  follow(keys: readonly string[]): void {
    if (keys.join() === this.#keys.join()) return
    this.#keys = keys
    this.#position = undefined
    this.#events.opened()
    this.#open(settleMs)
  }

  /** Continues with this daemon; undefined: there is none now. */
  use(daemon: Client | undefined): void {
    this.#daemon = daemon
    this.#open(0)
  }

  close(): void {
    this.#turn++
    this.#stream?.close()
  }

  #open(afterMs: number): void {
    this.#stream?.close()
    this.#stream = undefined
    const turn = ++this.#turn
    if (this.#daemon !== undefined && this.#keys.length > 0) void this.#read(this.#daemon, turn, afterMs)
  }

  async #read(daemon: Client, turn: number, afterMs: number): Promise<void> {
    await sleep(afterMs)
    if (turn !== this.#turn) return
    const resume = this.#position?.resumeQuery() ?? { tail: pastLines }
    const query: Query = { path: '/', service: this.#keys, follow: true, partial: true, ...resume }
    const position = this.#position ?? new LogPosition(new Date().toISOString())
    this.#position = position
    const stream = daemon.stream<LogLine>({ method: 'GET', path: '/v1/logs', query, doing: 'reading logs' })
    this.#stream = stream
    try {
      for await (const lines of stream.batches) {
        if (turn !== this.#turn) return
        const fresh = position.take(lines)
        if (fresh.length > 0) this.#events.lines(fresh)
      }
    } catch (error) {
      if (turn === this.#turn) this.#events.failed(messageOf(error))
    }
  }
}
