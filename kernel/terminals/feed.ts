import type { TerminalConnection } from '../contract/plugin.ts'
import { BoundedNumbers } from './bounded-numbers.ts'
import type { Screen } from './screen.ts'

/** Output that waits for the screen, bytes: beyond it, no more is read for a while. */
const waitingLimit = 256 * 1024
const waitingEnough = 64 * 1024
/** The pause after that, ms: a service that floods its terminal must not keep the daemon busy. */
const restMs = 50
/**
 * A connection that brings more than this in its last moments may not have brought all: its other end never waits for a
 * reader (native/keeper). Bytes, and the length of a moment: ms.
 */
const floodBytes = 64 * 1024
const momentMs = 1000
/** Typed text that the service has not read, bytes; more is discarded. */
const typedLimit = 256 * 1024

/** Who is to know of what a connection brings. */
export interface FeedListener {
  /** Output that the screen has, and has not had before. */
  shown(bytes: Uint8Array): void
  /** All output from before the connection is on the screen. */
  begun(): void
}

/** Brings the output of one connection to the screen, and the answers of the screen and typed text back. */
export class Feed {
  readonly #connection: TerminalConnection
  readonly #screen: Screen
  readonly #listener: FeedListener
  readonly #numbers = new BoundedNumbers()
  #waiting = 0
  /** Bytes from before the connection that are not on the screen yet: the queries in them are not answered. */
  #history: number
  #isResting = false
  #moment = { beganAt: 0, bytes: 0, before: 0 }
  #isWhole = true

  constructor(connection: TerminalConnection, screen: Screen, listener: FeedListener) {
    this.#connection = connection
    this.#screen = screen
    this.#listener = listener
    this.#history = connection.history
  }

  /** Resolves when the connection is closed and all its output is on the screen. */
  async run(): Promise<void> {
    const { stream } = this.#connection
    const closed = new Promise<void>(resolve => {
      if (stream.closed) resolve()
      else stream.once('close', resolve)
    })
    stream.on('error', () => stream.destroy())
    let toCome = this.#history
    if (toCome === 0) this.#listener.begun()
    stream.on('data', (chunk: Buffer) => {
      this.#count(chunk.length)
      const before = chunk.subarray(0, toCome)
      toCome -= before.length
      if (before.length > 0) this.#take(before, true)
      if (before.length < chunk.length) this.#take(chunk.subarray(before.length), false)
    })
    stream.resume()
    await closed
    this.#count(0)
    this.#isWhole = this.#moment.bytes + this.#moment.before <= floodBytes
    await this.#screen.settled()
  }

  /** Whether the connection brought all output, as far as is known once it is closed. */
  get isWhole(): boolean {
    return this.#isWhole
  }

  answer(text: string): void {
    if (this.#history === 0) this.type(Buffer.from(text))
  }

  /** Returns false when it was discarded, as the service does not read. */
  type(bytes: Uint8Array): boolean {
    const { stream } = this.#connection
    if (stream.writableLength > typedLimit) return false
    if (stream.writable) stream.write(bytes)
    return true
  }

  close(): void {
    this.#connection.stream.destroy()
  }

  /** Counts the bytes of this moment and the one before it. */
  #count(bytes: number): void {
    const now = performance.now()
    const elapsedMs = now - this.#moment.beganAt
    if (elapsedMs > momentMs)
      this.#moment = { beganAt: now, bytes: 0, before: elapsedMs > 2 * momentMs ? 0 : this.#moment.bytes }
    this.#moment.bytes += bytes
  }

  #take(output: Buffer, isHistory: boolean): void {
    const bytes = this.#numbers.bound(output)
    this.#waiting += bytes.length
    this.#screen.write(bytes, () => {
      this.#waiting -= bytes.length
      this.#listener.shown(bytes)
      if (isHistory) this.#history -= bytes.length
      if (isHistory && this.#history === 0) this.#listener.begun()
      if (this.#isResting && this.#waiting <= waitingEnough) this.#resumeLater()
    })
    if (this.#waiting > waitingLimit && !this.#isResting) {
      this.#isResting = true
      this.#connection.stream.pause()
    }
  }

  #resumeLater(): void {
    this.#isResting = false
    setTimeout(() => this.#connection.stream.resume(), restMs).unref()
  }
}
