/** So many looks come at once: a client that disconnects after its response is not there for a later one. */
const burst = 20
/** The shortest and longest mean time between two looks: ms. */
const shortestMs = 50
const longestMs = 500
/** Looks take at most one part in so many of the time. */
const share = 40

/** Decides when connections may be looked at for requests, by what the last looks have cost. */
export class LookBudget {
  #left = burst
  /** performance.now() */
  #at = 0
  /** The mean time of the last looks: ms. */
  #costMs = 0

  /** Takes one look. Returns 0, or how long to wait for it: ms. */
  take(now: number): number {
    this.#left = Math.min(burst, this.#left + (now - this.#at) / this.#pauseMs)
    this.#at = now
    if (this.#left < 1) return (1 - this.#left) * this.#pauseMs
    this.#left -= 1
    return 0
  }

  /** Notes how long a look took: ms. */
  spend(ms: number): void {
    this.#costMs += (ms - this.#costMs) / 4
  }

  get #pauseMs(): number {
    return Math.min(Math.max(share * this.#costMs, shortestMs), longestMs)
  }
}
