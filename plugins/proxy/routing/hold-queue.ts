import type { Catalog } from '../../../kernel/contract/plugin.ts'
import type { Limits } from '../limits.ts'

/** The outcome of a wait. */
export type WaitResult<T> =
  | { readonly by: 'value'; readonly value: T }
  | { readonly by: 'time' }
  | { readonly by: 'abort' }

/** Counts held requests, so that their number stays bounded. */
export class HoldQueue {
  readonly #limits: Limits
  readonly #held = new Map<string, number>()
  #total = 0

  constructor(limits: Limits) {
    this.#limits = limits
  }

  /** Returns how long a request waits for a service: its start may take as long as its configuration says. */
  limitOf(catalog: Pick<Catalog, 'startLimit'>, key: string): number {
    return Math.max(this.#limits.hold, catalog.startLimit(key))
  }

  /** Reserves a place and returns the function that releases it; undefined when the queue is full. */
  enter(key: string): (() => void) | undefined {
    const held = this.#held.get(key) ?? 0
    if (held >= this.#limits.heldPerService || this.#total >= this.#limits.heldTotal) return undefined
    this.#held.set(key, held + 1)
    this.#total++
    return () => {
      this.#total--
      const rest = (this.#held.get(key) ?? 1) - 1
      if (rest === 0) this.#held.delete(key)
      else this.#held.set(key, rest)
    }
  }
}

/**
 * Waits for `start`, at most `ms`, until one of the signals aborts; aborts the signal given to `start` when the wait is
 * over.
 */
export async function waitFor<T>(
  ms: number,
  signals: readonly AbortSignal[],
  start: (signal: AbortSignal) => Promise<T>,
): Promise<WaitResult<T>> {
  const end = new AbortController()
  let stop = (): void => undefined
  try {
    return await new Promise<WaitResult<T>>((resolve, reject) => {
      const timer = setTimeout(() => resolve({ by: 'time' }), Math.max(0, ms))
      const abort = (): void => resolve({ by: 'abort' })
      for (const signal of signals) {
        if (signal.aborted) abort()
        else signal.addEventListener('abort', abort, { once: true })
      }
      stop = () => {
        clearTimeout(timer)
        for (const signal of signals) signal.removeEventListener('abort', abort)
      }
      start(end.signal).then(value => resolve({ by: 'value', value }), reject)
    })
  } finally {
    stop()
    end.abort()
  }
}

/** Resolves when a condition holds, checked now and after each event of the catalog, or when the signal aborts. */
export function waitUntil(catalog: Pick<Catalog, 'on'>, isTrue: () => boolean, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const off = catalog.on(() => {
      if (isTrue()) done()
    })
    const done = (): void => {
      off()
      resolve()
    }
    signal.addEventListener('abort', done, { once: true })
    if (isTrue()) done()
  })
}
