import type { LogEntry } from '../../../kernel/contract/plugin.ts'

/** Entries wait so long for those of the other stream, ms. */
const waitMs = 25
/** More than this does not wait, bytes. */
const mostWaiting = 256 * 1024

type Stream = LogEntry['stream']

/** Merges the entries of two streams by time; those of one stream keep their order. */
export class StreamMerge {
  readonly #queues: Readonly<Record<Stream, LogEntry[]>> = { stdout: [], stderr: [] }
  readonly #flush: (entries: readonly LogEntry[]) => void
  #size = 0
  #timer: NodeJS.Timeout | undefined

  /** `flush` gets the merged entries. */
  constructor(flush: (entries: readonly LogEntry[]) => void) {
    this.#flush = flush
  }

  push(entries: readonly LogEntry[]): void {
    for (const entry of entries) {
      // Their bytes are those of a larger block.
      this.#queues[entry.stream].push(entry)
      this.#size += entry.text.length
    }
    if (this.#size > mostWaiting) this.#take(this.#commonTime())
    if (this.#size > mostWaiting) this.flush()
    if (this.#size > 0 || this.#isWaiting()) this.#timer ??= setTimeout(() => this.flush(), waitMs)
  }

  /** Passes all of them on now. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#take('~')
  }

  #isWaiting(): boolean {
    return Object.values(this.#queues).some(queue => queue.length > 0)
  }

  /** Returns the time up to which both streams have arrived. */
  #commonTime(): string {
    const times = Object.values(this.#queues).map(queue => queue.at(-1)?.time ?? '')
    return times.sort()[0] ?? ''
  }

  /** Passes on the entries up to a time. */
  #take(until: string): void {
    const { stdout, stderr } = this.#queues
    const merged: LogEntry[] = []
    for (let out = 0, err = 0; ; ) {
      const [first, second] = [stdout[out], stderr[err]]
      const next = first === undefined || (second !== undefined && second.time < first.time) ? second : first
      if (next === undefined || next.time > until) {
        stdout.splice(0, out)
        stderr.splice(0, err)
        break
      }
      if (next === first) out++
      else err++
      merged.push(next)
      this.#size -= next.text.length
    }
    if (merged.length > 0) this.#flush(merged)
  }
}
