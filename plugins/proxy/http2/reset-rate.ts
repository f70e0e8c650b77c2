/** How many resets a connection may send at once and per second, both as nghttp2 counts them. */
interface ResetRate {
  readonly burst: number
  readonly perSecond: number
}

// nghttp2 closes a connection with all its streams after 1000 at once and 33 a second; since Node 22.11 these can be
// raised.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const canRaise = major > 22 || (major === 22 && minor >= 11)
/** Lower than nghttp2's, since Node does not report the resets of completed streams. */
const resetRate: ResetRate = canRaise ? { burst: 10_000, perSecond: 100 } : { burst: 850, perSecond: 28 }

/** The limits for nghttp2, where Node supports them: the counter below reacts first. */
export const resetOptions = { streamResetBurst: resetRate.burst * 10, streamResetRate: resetRate.perSecond * 10 }

/** Counts how fast a client resets its streams. */
export class ResetCounter {
  #remaining = resetRate.burst
  #last = performance.now()

  /** Counts one reset, and returns whether that is too many. */
  add(): boolean {
    const now = performance.now()
    const { burst, perSecond } = resetRate
    this.#remaining = Math.min(burst, this.#remaining + ((now - this.#last) / 1000) * perSecond) - 1
    this.#last = now
    return this.#remaining < 0
  }
}
