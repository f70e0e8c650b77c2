import type { Instance } from '../contract/plugin.ts'

/** Remembers when a service was started last, by a monotonic clock and, for its log, by the time of day. */
export class StartClock {
  /** When its present run, with all its restarts, began: ms since the epoch; 0: an earlier daemon began it. */
  begunMs = 0
  #at = 0
  #instance: Instance | null = null

  /** Notes that a run begins. */
  begin(): void {
    this.begunMs = Date.now()
    this.#at = performance.now()
  }

  /** Notes the instance that runs now, if any does: a different one means that it was started. */
  noteInstance(instance: Instance | null): void {
    if (instance !== null && instance !== this.#instance) this.#at = performance.now()
    this.#instance = instance
  }

  /** The time since it was started: ms. */
  get sinceMs(): number {
    return performance.now() - this.#at
  }
}
