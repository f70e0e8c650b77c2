import type { LastEntry, LogEntry } from '../../../kernel/contract/plugin.ts'

/** Skips the entries of a stream that are in the service's log already, of an output that begins before its end. */
export class EntrySkip {
  readonly #last: LastEntry | undefined
  #missing: number
  #isPast: boolean

  /** `last`: the log's last entry of the stream. */
  constructor(last: LastEntry | undefined) {
    this.#last = last
    this.#missing = last?.count ?? 0
    this.#isPast = last === undefined
  }

  /** Returns the entries that the log does not have. */
  rest(entries: readonly LogEntry[]): readonly LogEntry[] {
    return this.#isPast ? entries : entries.filter(entry => this.#isNew(entry))
  }

  #isNew({ time }: LogEntry): boolean {
    if (this.#isPast || this.#last === undefined) return true
    if (time < this.#last.time) return false
    if (time === this.#last.time && this.#missing > 0) {
      this.#missing--
      // What comes next is new, even if the clock is set back.
      this.#isPast = this.#missing === 0
      return false
    }
    this.#isPast = true
    return true
  }
}
