import type { TerminalSize } from '../contract/plugin.ts'
import type { TerminalNote, TerminalScreenNote } from '../protocol.ts'

/** Where a client's frames go. */
export interface ViewerSink {
  bytes(bytes: Uint8Array): void
  note(note: TerminalNote): void
}

/** A client with more unacknowledged bytes than this gets no more output. */
const unreadLimit = 512 * 1024
/** Once it has acknowledged all but this, it gets the screen as it is then. */
const unreadEnough = 64 * 1024

/** One client of a terminal. It gets the screen, then output as it comes; a slow one skips output. */
export class Viewer {
  size: TerminalSize
  readonly #sink: ViewerSink
  #unread = 0
  /** Whether it waits for a screen. */
  #isBehind = true

  constructor(sink: ViewerSink, size: TerminalSize) {
    this.#sink = sink
    this.size = size
  }

  /** Whether it waits for a screen, and reads. */
  get isDue(): boolean {
    return this.#isBehind && this.#unread <= unreadEnough
  }

  /** Replaces what it shows. */
  show(text: string, screen: TerminalScreenNote): void {
    this.#isBehind = false
    this.#sink.note({ screen })
    this.#send(Buffer.from(text))
  }

  /** Sends output, unless the client is to get a screen. */
  push(bytes: Uint8Array): void {
    if (this.#unread > unreadLimit) this.#isBehind = true
    if (!this.#isBehind) this.#send(bytes)
  }

  note(note: TerminalNote): void {
    if (!this.#isBehind) this.#sink.note(note)
  }

  /** Makes it wait for a new screen. */
  interrupt(): void {
    this.#isBehind = true
  }

  acknowledge(bytes: number): void {
    this.#unread = Math.max(0, this.#unread - bytes)
  }

  #send(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#unread += bytes.length
    this.#sink.bytes(bytes)
  }
}
