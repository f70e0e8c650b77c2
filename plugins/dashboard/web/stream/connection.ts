import { textOf } from '../body.ts'
import type { Link, Problem } from './messages.ts'
import { SseParser } from './sse.ts'

/** What one connection asks for. */
export interface Wanted {
  readonly topics: readonly string[]
}

/** What a connection reports. */
export interface Reports {
  /** A batch of a topic. */
  values(topic: string, values: readonly unknown[]): void
  link(link: Link): void
  problem(problem: Problem): void
}

/** Pauses between tries, ms; the last one stays. */
const pauses = [100, 250, 500, 1000] as const
/** How many past values the daemon is asked for. */
const tail = 1000
/** A try without an answer for so long is given up, ms: a daemon that is starting answers late, a lost one never. */
const answerMs = 10_000
/** The daemon sends at least a comment every 15 s; without any, the connection is lost. */
const silenceMs = 40_000

/** One connection to `GET /v1/stream`; a lost one is opened again, where the last one stopped. */
export class Connection {
  readonly #reports: Reports
  #wanted: Wanted | undefined
  #lastId: string | undefined
  #current: AbortController | undefined
  #failures = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #lastSeen = Date.now()

  constructor(reports: Reports) {
    this.#reports = reports
  }

  /** Connects with other topics; undefined: disconnects. What is already here is not sent again. */
  want(wanted: Wanted | undefined): void {
    this.#wanted = wanted
    this.retry()
  }

  /** Connects now. */
  retry(): void {
    clearTimeout(this.#timer)
    this.#current?.abort()
    this.#current = undefined
    if (this.#wanted !== undefined) void this.#run(this.#wanted)
  }

  async #run(wanted: Wanted): Promise<void> {
    const current = new AbortController()
    this.#current = current
    const patience = setTimeout(() => current.abort(), answerMs)
    try {
      const response = await fetch(`/v1/stream?${queryOf(wanted)}`, {
        headers: this.#lastId === undefined ? {} : { 'Last-Event-ID': this.#lastId },
        cache: 'no-store',
        signal: current.signal,
      })
      clearTimeout(patience)
      if (this.#current !== current) return
      if (response.status === 401) {
        this.#current = undefined
        return this.#reports.link({ state: 'refused' })
      }
      // Of another version of the daemon.
      if (response.status === 400) this.#lastId = undefined
      if (!response.ok || response.body === null) throw new Error(`status ${response.status}`)
      await this.#read(response.body, current)
      throw new Error('the daemon closed the stream')
    } catch {
      // Also where another connection has replaced this one: then it is not the current one.
      if (this.#current === current) this.#lost()
    } finally {
      clearTimeout(patience)
    }
  }

  async #read(body: ReadableStream<Uint8Array>, current: AbortController): Promise<void> {
    const parser = new SseParser()
    const silence = setInterval(() => {
      if (Date.now() - this.#lastSeen > silenceMs) current.abort()
    }, silenceMs / 4)
    try {
      this.#seen()
      for await (const text of textOf(body)) {
        if (this.#current !== current) return
        this.#seen()
        for (const { event, data, id } of parser.add(text)) this.#accept(event, data, id)
      }
    } finally {
      clearInterval(silence)
    }
  }

  #accept(event: string, data: string, id: string | undefined): void {
    if (id !== undefined) this.#lastId = id
    if (event === 'problem') this.#reports.problem(JSON.parse(data))
    else this.#reports.values(event, JSON.parse(data))
  }

  #seen(): void {
    this.#lastSeen = Date.now()
    this.#failures = 0
    this.#reports.link({ state: 'live' })
  }

  #lost(): void {
    this.#current = undefined
    this.#reports.link({ state: 'lost', since: this.#lastSeen })
    const pause = pauses[Math.min(this.#failures, pauses.length - 1)]
    this.#failures += 1
    this.#timer = setTimeout(() => this.retry(), pause)
  }
}

/** Asks for all services: a connection that follows other ones later would have no past of these. */
function queryOf({ topics }: Wanted): URLSearchParams {
  return new URLSearchParams([...topics.map(topic => ['topic', topic]), ['tail', String(tail)]])
}
