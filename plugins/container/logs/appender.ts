import type { LastEntry, LogEntry, LogSink } from '../../../kernel/contract/plugin.ts'

type Stream = LogEntry['stream']

/** Appends a container's entries to its service's log, and knows what is at the log's end. */
export class Appender {
  readonly #log: LogSink
  #last: LastEntry | undefined
  readonly #unfinished: Set<Stream>

  /** `unfinished`: streams whose last entry was a part of a line. */
  constructor(log: LogSink, last: LastEntry | undefined, unfinished: readonly Stream[] = []) {
    this.#log = log
    this.#last = last
    this.#unfinished = new Set(unfinished)
  }

  get last(): LastEntry | undefined {
    return this.#last
  }

  get unfinished(): readonly Stream[] {
    return [...this.#unfinished]
  }

  /** Returns false when none could be written, as on a full disk. */
  append(entries: readonly LogEntry[]): boolean {
    if (!this.#log.append(entries)) return false
    this.note(entries)
    return true
  }

  /** Notes entries that are in the log already. */
  note(entries: readonly LogEntry[]): void {
    let { time, count } = this.#last ?? { time: '', count: 0 }
    for (const entry of entries) {
      count = entry.time === time ? count + 1 : 1
      time = entry.time
      if (entry.isFull) this.#unfinished.delete(entry.stream)
      else this.#unfinished.add(entry.stream)
    }
    if (count > 0) this.#last = { time, count }
  }

  /** Completes the lines that the container left unfinished, which its next run would continue. */
  finish(): boolean {
    const time = this.#last?.time
    if (time === undefined) return true
    return this.append(this.unfinished.map(stream => ({ time, stream, isFull: true, text: Buffer.alloc(0) })))
  }
}
