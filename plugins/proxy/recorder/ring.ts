import { CompactStore, type FastExchange } from './compact.ts'
import type { Entry } from './entry.ts'

/** The latest exchanges: at most so many, and at most so many bytes of heads. The oldest make room. */
export class Ring {
  readonly #capacity: number
  readonly #maxBytes: number
  /** Undefined where an exchange is in its compact form. */
  readonly #slots: (Entry | undefined)[]
  readonly #compact: CompactStore
  /** What each slot weighs, as added. */
  readonly #weights: Float64Array
  #bytes = 0
  #oldest = 0
  #next = 0

  constructor(capacity: number, maxBytes: number) {
    this.#capacity = capacity
    this.#maxBytes = maxBytes
    this.#slots = new Array<Entry | undefined>(capacity).fill(undefined)
    this.#compact = new CompactStore(capacity)
    this.#weights = new Float64Array(capacity)
  }

  add(entry: Entry): void {
    const slot = this.#freeSlot()
    entry.seq = this.#next
    this.#slots[slot] = entry
    this.#take(slot, entry.weight)
  }

  /** Adds an exchange in its compact form, and returns its place. */
  addCompact(fast: FastExchange, changed: number): number {
    const slot = this.#freeSlot()
    this.#take(slot, this.#compact.keep(slot, fast, changed))
    return this.#next - 1
  }

  #freeSlot(): number {
    if (this.#next - this.#oldest === this.#capacity) this.#evict()
    return this.#next % this.#capacity
  }

  #take(slot: number, weight: number): void {
    this.#weights[slot] = weight
    this.#bytes += weight
    this.#next += 1
    this.#limit()
  }

  /** Weighs an entry again, which has got its response. */
  weigh(entry: Entry): void {
    if (this.get(entry.seq) !== entry) return
    const slot = entry.seq % this.#capacity
    const { weight } = entry
    this.#bytes += weight - (this.#weights[slot] ?? 0)
    this.#weights[slot] = weight
    this.#limit()
  }

  get(seq: number): Entry | undefined {
    return seq >= this.#oldest && seq < this.#next ? this.#entryAt(seq) : undefined
  }

  /** Returns all, the oldest first. */
  list(): Entry[] {
    const all: Entry[] = []
    for (let seq = this.#oldest; seq < this.#next; seq++) all.push(this.#entryAt(seq))
    return all
  }

  /** Returns the same entry each time. */
  #entryAt(seq: number): Entry {
    const slot = seq % this.#capacity
    const known = this.#slots[slot]
    if (known !== undefined) return known
    const entry = this.#compact.entryAt(slot)
    entry.seq = seq
    this.#slots[slot] = entry
    this.#compact.drop(slot)
    return entry
  }

  clear(): void {
    while (this.#oldest < this.#next) this.#evict()
  }

  #limit(): void {
    while (this.#bytes > this.#maxBytes && this.#next - this.#oldest > 1) this.#evict()
  }

  #evict(): void {
    const slot = this.#oldest % this.#capacity
    const entry = this.#slots[slot]
    if (entry === undefined) this.#compact.drop(slot)
    else {
      entry.drop()
      this.#slots[slot] = undefined
    }
    this.#bytes -= this.#weights[slot] ?? 0
    this.#oldest += 1
  }
}
