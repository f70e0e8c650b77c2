import { once } from 'node:events'
import type { ServerResponse } from 'node:http'

/** A client with more unread bytes than this does not read: it is disconnected, and may resume. */
const unreadLimit = 4 * 1024 * 1024
/** Shortest time between two batches of a topic that are not full, ms. */
const batchMs = 50
/** Values at which a batch is full, and its length in UTF-16 units. */
const batchSize = 1000
const batchLength = 512 * 1024
/** Interval of the comments by which both sides detect a lost connection, ms. */
const pingMs = 15_000

/** Values of one topic that were not written yet. */
interface Batch {
  readonly parts: string[]
  size: number
  length: number
  position: string
}

/**
 * Writes server-sent events: each is a batch of one topic, with the positions of all topics as its id. All values of
 * one call are in one event, so that a client that resumes has all of them or none.
 */
export class StreamWriter {
  readonly #raw: ServerResponse
  readonly #positions: Map<string, string>
  readonly #batches = new Map<string, Batch>()
  readonly #ping: NodeJS.Timeout
  #timer: NodeJS.Timeout | undefined
  #writtenMs = 0
  /** Aborts when the client disconnects. */
  readonly signal: AbortSignal

  /** @param positions where the client resumes, by topic */
  constructor(raw: ServerResponse, positions: ReadonlyMap<string, string>) {
    const disconnected = new AbortController()
    this.#raw = raw
    this.#positions = new Map(positions)
    this.signal = disconnected.signal
    raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    raw.flushHeaders()
    this.#ping = setInterval(() => this.#write(': ping\n\n'), pingMs)
    raw.on('close', () => {
      clearInterval(this.#ping)
      clearTimeout(this.#timer)
      disconnected.abort(new Error('the client disconnected'))
    })
  }

  /** Adds values to the topic's next batch. */
  push(topic: string, position: string, values: readonly unknown[]): void {
    const open = this.#batches.get(topic)
    if (values.length === 0) {
      if (open !== undefined) open.position = position
      else if (position !== '') this.#positions.set(topic, position)
      return
    }
    if (this.#raw.destroyed) return
    const text = JSON.stringify(values).slice(1, -1)
    if (open !== undefined && (open.size + values.length > batchSize || open.length + text.length > batchLength)) {
      this.#writeBatch(topic, open)
    }
    const batch = this.#batches.get(topic) ?? { parts: [], size: 0, length: 0, position }
    this.#batches.set(topic, batch)
    batch.parts.push(text)
    batch.size += values.length
    batch.length += text.length
    batch.position = position
    if (batch.size >= batchSize || batch.length >= batchLength) this.#writeBatch(topic, batch)
    else this.#timer ??= setTimeout(this.#flush, Math.max(0, this.#writtenMs + batchMs - performance.now()))
  }

  /** Resolves when the client has read enough to be sent more. */
  async drained(): Promise<void> {
    if (this.#raw.writableNeedDrain && !this.signal.aborted) {
      await once(this.#raw, 'drain', { signal: this.signal }).catch(() => undefined)
    }
  }

  /** Writes an event without an id. */
  problem(value: object): void {
    this.#write(`event: problem\ndata: ${JSON.stringify(value)}\n\n`)
  }

  readonly #flush = (): void => {
    this.#timer = undefined
    this.#writtenMs = performance.now()
    for (const [topic, batch] of this.#batches) this.#writeBatch(topic, batch)
  }

  #writeBatch(topic: string, { parts, position }: Batch): void {
    this.#batches.delete(topic)
    if (position !== '') this.#positions.set(topic, position)
    this.#write(`event: ${topic}\nid: ${encodePositions(this.#positions)}\ndata: [${parts.join(',')}]\n\n`)
  }

  #write(text: string): void {
    // Measured before the write: a single batch may be larger than the limit.
    if (this.#raw.writableLength > unreadLimit) this.#raw.destroy()
    // Bytes cost the garbage collector less than strings while they wait.
    if (!this.#raw.destroyed) this.#raw.write(Buffer.from(text))
  }
}

/** Encodes positions by topic as the id of an event. */
export function encodePositions(positions: ReadonlyMap<string, string>): string {
  return Buffer.from(JSON.stringify(Object.fromEntries(positions))).toString('base64url')
}

/** Decodes the id of an event; undefined if it is none. */
export function decodePositions(id: string): ReadonlyMap<string, string> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(id, 'base64url').toString())
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    const entries: readonly (readonly [string, unknown])[] = Object.entries(value)
    return new Map(entries.flatMap(([topic, position]) => (typeof position === 'string' ? [[topic, position]] : [])))
  } catch {
    return undefined
  }
}
