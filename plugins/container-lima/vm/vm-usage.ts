/** Starts a timer; the result stops it. Tests replace it. */
export type StartTimer = (run: () => void, ms: number) => () => void

const realTimer: StartTimer = (run, ms) => {
  const timer = setTimeout(run, ms)
  timer.unref()
  return () => clearTimeout(timer)
}

/** Counts who uses the VM, and reports when it was unused for a while. */
export class VmUsage {
  readonly #idleMs: number
  readonly #onIdle: () => void
  readonly #startTimer: StartTimer
  #count = 0
  #stopTimer: (() => void) | undefined

  /** @param idleMs 0: never idle */
  constructor(idleMs: number, onIdle: () => void, startTimer: StartTimer = realTimer) {
    this.#idleMs = idleMs
    this.#onIdle = onIdle
    this.#startTimer = startTimer
  }

  get count(): number {
    return this.#count
  }

  /** Adds a user; the result removes it, once. */
  hold(): () => void {
    this.#count++
    this.cancel()
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      this.#count--
      this.watch()
    }
  }

  /** Starts to wait for idleness, unless someone uses the VM. */
  watch(): void {
    this.cancel()
    if (this.#count > 0 || this.#idleMs === 0) return
    this.#stopTimer = this.#startTimer(() => {
      this.#stopTimer = undefined
      if (this.#count === 0) this.#onIdle()
    }, this.#idleMs)
  }

  cancel(): void {
    this.#stopTimer?.()
    this.#stopTimer = undefined
  }
}
