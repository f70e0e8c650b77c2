/** A task that several callers wait for together: it runs once, and each gets its steps and its result. */
export class SharedTask<T> {
  #current: { readonly result: Promise<T>; readonly listeners: Set<(text: string) => void>; step: string } | undefined

  /** Whether it runs. */
  get isRunning(): boolean {
    return this.#current !== undefined
  }

  /**
   * Joins the task, or starts it with `work`. A caller whose signal aborts leaves; the task goes on for the others and
   * for the next caller.
   */
  run(
    work: (step: (text: string) => void) => Promise<T>,
    step: (text: string) => void,
    signal?: AbortSignal,
  ): Promise<T> {
    const current = this.#current ?? this.#start(work)
    current.listeners.add(step)
    if (current.step !== '') step(current.step)
    return unlessAborted(current.result, signal).finally(() => current.listeners.delete(step))
  }

  /** Resolves when it does not run. */
  async settled(): Promise<void> {
    await this.#current?.result.catch(() => {})
  }

  #start(work: (step: (text: string) => void) => Promise<T>) {
    const listeners = new Set<(text: string) => void>()
    const report = (text: string): void => {
      current.step = text
      for (const listener of listeners) listener(text)
    }
    const result = Promise.resolve()
      .then(() => work(report))
      .finally(() => {
        this.#current = undefined
      })
    // Every caller may have left by then.
    result.catch(() => {})
    const current = { result, listeners, step: '' }
    this.#current = current
    return current
  }
}

function unlessAborted<T>(result: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return result
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason)
    if (signal.aborted) return leave()
    signal.addEventListener('abort', leave, { once: true })
    result.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave))
  })
}
