import type { Catalog } from '../../../kernel/contract/plugin.ts'
import type { Limits } from '../limits.ts'

/** How a wait ended. */
export type Waited<T> = { readonly by: 'value'; readonly value: T } | { readonly by: 'time' } | { readonly by: 'abort' }

/** Counts the requests that wait, so that they stay bounded. */
export class Holds {
  readonly #limits: Limits
  readonly #held = new Map<string, number>()
  #total = 0

  constructor(limits: Limits) {
    this.#limits = limits
  }

  /** Takes a place; the result gives it back. Undefined: all are taken. */
  enter(key: string): (() => void) | undefined {
    const held = this.#held.get(key) ?? 0
    if (held >= this.#limits.heldPerService || this.#total >= this.#limits.heldTotal) return undefined
    this.#held.set(key, held + 1)
    this.#total++
    return () => {
      this.#total--
      const left = (this.#held.get(key) ?? 1) - 1
      if (left === 0) this.#held.delete(key)
      else this.#held.set(key, left)
    }
  }
}

/** Waits for `start`, at most `ms`, and no longer than any of the signals lasts; `start`'s own signal ends with the wait. */
export async function within<T>(
  ms: number,
  signals: readonly AbortSignal[],
  start: (signal: AbortSignal) => Promise<T>,
): Promise<Waited<T>> {
  const end = new AbortController()
  let stop = (): void => undefined
  try {
    return await new Promise<Waited<T>>((resolve, reject) => {
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

/** Resolves when a condition holds, at once or after an event of the catalog, or when the signal is aborted. */
export function untilTrue(catalog: Pick<Catalog, 'on'>, isTrue: () => boolean, signal: AbortSignal): Promise<void> {
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
