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
  /** The key of the service of each hold. */
  readonly #holds = new Map<symbol, string>()
  #stopTimer: (() => void) | undefined

  /** @param idleMs 0: never idle */
  constructor(idleMs: number, onIdle: () => void, startTimer: StartTimer = realTimer) {
    this.#idleMs = idleMs
    this.#onIdle = onIdle
    this.#startTimer = startTimer
  }

  /** The keys of the services that use it. */
  get services(): readonly string[] {
    return [...new Set(this.#holds.values())]
  }

  /** Adds a service; the result removes it, once. */
  hold(key: string): () => void {
    const hold = Symbol(key)
    this.#holds.set(hold, key)
    this.cancel()
    return () => {
      if (this.#holds.delete(hold)) this.watch()
    }
  }

  /** Starts to wait for idleness, unless someone uses the VM. */
  watch(): void {
    this.cancel()
    if (this.#holds.size > 0 || this.#idleMs === 0) return
    this.#stopTimer = this.#startTimer(() => {
      this.#stopTimer = undefined
      if (this.#holds.size === 0) this.#onIdle()
    }, this.#idleMs)
  }

  cancel(): void {
    this.#stopTimer?.()
    this.#stopTimer = undefined
  }
}
