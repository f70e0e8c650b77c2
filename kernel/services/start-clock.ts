import type { Instance } from '../contract/plugin.ts'

/** When a service was started last, by a clock that is never set and, for what its log says, by the time of day. */
export class StartClock {
  /** When its present run, with all its restarts, was begun: ms since the epoch; 0: by an earlier daemon. */
  begunMs = 0
  #at = 0
  #instance: Instance | null = null

  /** A run begins. */
  begin(): void {
    this.begunMs = Date.now()
    this.#at = performance.now()
  }

  /** The instance that runs now, if any does: that there is another one is a start. */
  saw(instance: Instance | null): void {
    if (instance !== null && instance !== this.#instance) this.#at = performance.now()
    this.#instance = instance
  }

  /** How long ago it was started: ms. */
  get sinceMs(): number {
    return performance.now() - this.#at
  }
}
