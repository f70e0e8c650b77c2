import type { TerminalConnection } from '../contract/plugin.ts'
import { BoundedNumbers } from './bounded-numbers.ts'
import type { Screen } from './screen.ts'

/** Output that waits for the screen, bytes: beyond it, no more is read for a while. */
const waitingLimit = 256 * 1024
const waitingEnough = 64 * 1024
/** The pause after that, ms: a service that floods its terminal must not keep the daemon busy. */
const restMs = 50
/** The writer waits for a lagging reader for a quarter of a second (native/keeper), after which output is lost: ms. */
const lagMs = 2000
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
  #restedAt = Number.NEGATIVE_INFINITY

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
      const before = chunk.subarray(0, toCome)
      toCome -= before.length
      if (before.length > 0) this.#take(before, true)
      if (before.length < chunk.length) this.#take(chunk.subarray(before.length), false)
    })
    stream.resume()
    await closed
    await this.#screen.settled()
  }

  /** Whether it was slower than the output just now. */
  get hasLagged(): boolean {
    return performance.now() - this.#restedAt < lagMs
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
      this.#restedAt = performance.now()
      this.#connection.stream.pause()
    }
  }

  #resumeLater(): void {
    this.#isResting = false
    this.#restedAt = performance.now()
    setTimeout(() => this.#connection.stream.resume(), restMs).unref()
  }
}
