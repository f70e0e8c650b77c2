import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { collectGarbage } from './contract/memory.ts'

/** Garbage is collected when the heap has grown by so much since the last time, in percent; V8 by itself lets it grow to a multiple. */
const growth = 60
/** A heap of this size is that of a daemon which has had much to do: bytes. */
const large = 64 * 1024 * 1024
/** After so long without it, it is made small: ms. */
const quietMs = 1000
/** What one collection has emptied the next gives back to the system. */
const rounds = 2

/** Keeps the daemon's heap near to what it needs. V8 collects when something is allocated: an idle daemon would keep its garbage. */
export class Heap {
  #timer: NodeJS.Timeout | undefined

  constructor() {
    setFlagsFromString(`--heap-growing-percent=${growth}`)
  }

  /** Much was done, and is over. */
  rest(): void {
    clearTimeout(this.#timer)
    if (getHeapStatistics().total_heap_size > large) this.#later(rounds)
  }

  #later(left: number): void {
    this.#timer = setTimeout(() => {
      collectGarbage('major')
      if (left > 1) this.#later(left - 1)
    }, quietMs).unref()
  }
}
