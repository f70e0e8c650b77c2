import type { Readable } from 'node:stream'
import type { LogEntry, LogSink } from '../../../kernel/contract/plugin.ts'

type Stream = LogEntry['stream']

/** How often entries that could not be written are retried, ms. */
const retryMs = 1000

/** Writes entries to a service's log; on a full disk it pauses their sources and retries. */
export class EntryWriter {
  readonly #log: LogSink
  /** What could not be written yet. */
  #waiting: readonly LogEntry[] = []
  #isClosed = false
  #hasWritten = false
  /** The times of the streams' last entries where these are parts of a line. */
  readonly #unfinished = new Map<Stream, string>()
  #timer: NodeJS.Timeout | undefined
  #wake = () => {}

  constructor(log: LogSink) {
    this.#log = log
  }

  get hasWritten(): boolean {
    return this.#hasWritten
  }

  /** Notes what the container has written, whether it is in the log already or not. */
  note(entries: readonly LogEntry[]): readonly LogEntry[] {
    for (const { stream, time, isFull } of entries) {
      if (isFull) this.#unfinished.delete(stream)
      else this.#unfinished.set(stream, time)
    }
    return entries
  }

  write(entries: readonly LogEntry[], sources: readonly Readable[]): void {
    this.#waiting = this.#waiting.length === 0 ? entries : [...this.#waiting, ...entries]
    if (this.#timer !== undefined || this.#isClosed || this.#tryWrite()) return
    for (const source of sources) source.pause()
    const retry = () => {
      this.#timer = undefined
      if (this.#isClosed || this.#tryWrite()) for (const source of sources) source.resume()
      else this.#timer = setTimeout(retry, retryMs)
    }
    this.#timer = setTimeout(retry, retryMs)
  }

  /** Resolves when nothing waits any more, or when it is closed. */
  async written(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#isClosed) {
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }

  /** Completes the lines that the container left unfinished, which its next run would continue. */
  async finish(): Promise<boolean> {
    await this.written()
    if (this.#isClosed) return false
    const ends = [...this.#unfinished].map(([stream, time]) => ({ time, stream, isFull: true, text: Buffer.alloc(0) }))
    this.#unfinished.clear()
    return this.#log.append(ends)
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#wake()
  }

  #tryWrite(): boolean {
    if (!this.#log.append(this.#waiting)) return false
    this.#hasWritten ||= this.#waiting.length > 0
    this.#waiting = []
    this.#wake()
    return true
  }
}
