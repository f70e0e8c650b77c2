import type { Entry } from './entry.ts'

/** The latest exchanges: at most so many, and at most so many bytes of heads. The oldest make room. */
export class Ring {
  readonly #capacity: number
  readonly #maxBytes: number
  readonly #slots: (Entry | undefined)[]
  /** What each slot weighs, as added. */
  readonly #weights: Float64Array
  #bytes = 0
  #oldest = 0
  #next = 0

  constructor(capacity: number, maxBytes: number) {
    this.#capacity = capacity
    this.#maxBytes = maxBytes
    this.#slots = new Array<Entry | undefined>(capacity).fill(undefined)
    this.#weights = new Float64Array(capacity)
  }

  add(entry: Entry): void {
    if (this.#next - this.#oldest === this.#capacity) this.#evict()
    const slot = this.#next % this.#capacity
    const { weight } = entry
    entry.seq = this.#next
    this.#slots[slot] = entry
    this.#weights[slot] = weight
    this.#bytes += weight
    this.#next += 1
    while (this.#bytes > this.#maxBytes && this.#next - this.#oldest > 1) this.#evict()
  }

  /** Weighs an entry again, which has got its response. */
  weigh(entry: Entry): void {
    if (this.get(entry.seq) !== entry) return
    const slot = entry.seq % this.#capacity
    const { weight } = entry
    this.#bytes += weight - (this.#weights[slot] ?? 0)
    this.#weights[slot] = weight
    while (this.#bytes > this.#maxBytes && this.#next - this.#oldest > 1) this.#evict()
  }

  get(seq: number): Entry | undefined {
    return seq >= this.#oldest && seq < this.#next ? this.#slots[seq % this.#capacity] : undefined
  }

  /** Returns all, the oldest first. */
  list(): Entry[] {
    const all: Entry[] = []
    for (let seq = this.#oldest; seq < this.#next; seq++) {
      const entry = this.#slots[seq % this.#capacity]
      if (entry !== undefined) all.push(entry)
    }
    return all
  }

  clear(): void {
    while (this.#oldest < this.#next) this.#evict()
  }

  #evict(): void {
    const slot = this.#oldest % this.#capacity
    this.#slots[slot]?.drop()
    this.#slots[slot] = undefined
    this.#bytes -= this.#weights[slot] ?? 0
    this.#oldest += 1
  }
}
