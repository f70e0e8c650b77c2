/**
 * Resolves with the promise's result, or rejects after `ms` with the error of `late`. The promise's own result is then
 * ignored.
 */
export async function withTimeout<T>(ms: number, promise: Promise<T>, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), ms)
  })
  try {
    return await Promise.race([promise, limit])
  } finally {
    clearTimeout(timer)
  }
}

/** Resolves after `ms`, or at once when aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal?.aborted) return resolve()
    const done = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal?.addEventListener('abort', done, { once: true })
  })
}

/**
 * Resolves with the step's result. After the signal aborts, the step has `graceMs` to finish; then this rejects with
 * the signal's reason, and a later result goes to `late`.
 */
export function withStopGrace<T>(
  step: Promise<T>,
  signal: AbortSignal,
  graceMs: number,
  late: (result: T) => void = () => {},
): Promise<T> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined
    let isLeft = false
    const leave = () => {
      isLeft = true
      reject(signal.reason)
    }
    const hurry = () => {
      timer = setTimeout(leave, graceMs)
    }
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', hurry)
    }
    signal.addEventListener('abort', hurry, { once: true })
    step.then(result => (isLeft ? late(result) : resolve(result)), reject).finally(end)
    if (signal.aborted) hurry()
  })
}

/** Makes a promise with its resolver (Promise.withResolvers is newer than Node 20). */
export function withResolvers<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>(done => {
    resolve = done
  })
  return { promise, resolve }
}

/** A queue for long work: one item runs in each turn of the event loop, so that short work is served in between. */
export class Turns {
  readonly #waiting: (() => void)[] = []

  /** Resolves when the caller's turn comes. */
  next(): Promise<void> {
    return new Promise(resolve => {
      this.#waiting.push(resolve)
      if (this.#waiting.length === 1) setImmediate(this.#step)
    })
  }

  readonly #step = (): void => {
    this.#waiting.shift()?.()
    if (this.#waiting.length > 0) setImmediate(this.#step)
  }
}

/** Runs operations one after the other. All of them, running or waiting, can be cancelled. */
export class OperationQueue {
  #tail: Promise<unknown> = Promise.resolve()
  readonly #open = new Set<AbortController>()

  /** Runs the operation after all before it. The signal aborts with the reason given to `cancel`. */
  run<T>(operation: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const abort = new AbortController()
    this.#open.add(abort)
    const result = this.#tail.then(() => operation(abort.signal)).finally(() => this.#open.delete(abort))
    this.#tail = result.catch(() => {})
    return result
  }

  /** Aborts the signals of all operations that run or wait. */
  cancel(reason: Error): void {
    for (const abort of this.#open) abort.abort(reason)
  }
}

/**
 * Returns the result, or undefined as soon as the signal aborts: a stop does not wait for a running probe.
 */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const stop = () => resolve(undefined)
    signal.addEventListener('abort', stop, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
    if (signal.aborted) stop()
  })
}
