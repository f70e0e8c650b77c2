/** One project's operations, one after the other. The one under way can be told to give up. */
export class OperationQueue {
  #tail: Promise<unknown> = Promise.resolve()
  readonly #open = new Set<AbortController>()

  /** Runs when all before it are over. The signal aborts with the reason given to `cancel`. */
  run<T>(operation: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const abort = new AbortController()
    this.#open.add(abort)
    const result = this.#tail.then(() => operation(abort.signal)).finally(() => this.#open.delete(abort))
    this.#tail = result.catch(() => {})
    return result
  }

  /** Tells all that run or wait to give up. */
  cancel(reason: Error): void {
    for (const abort of this.#open) abort.abort(reason)
  }
}
