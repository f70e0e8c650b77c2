import type { Budget } from './budget.ts'
import type { Spill } from './spill.ts'

/** Sizes of bodies, bytes: kept in memory up to the first, on disk up to the second. */
export interface BodyLimits {
  readonly memory: number
  readonly disk: number
}

/** What bodies are kept in. */
export interface BodyStore {
  readonly limits: BodyLimits
  readonly memory: Budget
  readonly spill: Spill
}

/** Why a body was not kept. */
export type Loss = 'not recorded' | 'too large' | 'no room' | 'evicted'

/**
 * A body as it passes: its size, and its bytes if they are wanted and few enough. Up to the limit of memory it stays
 * there; a larger one is written to disk when it is complete; one above the limit of disk is not kept at all.
 */
export class Body {
  /** Bytes so far. */
  size = 0
  loss: Loss | undefined
  #pieces: Buffer[] = []
  #kept = 0
  #file: string | undefined
  readonly #store: BodyStore

  constructor(store: BodyStore) {
    this.#store = store
  }

  /** Counts a piece, and keeps a copy of it if `isWanted`. A body of which a piece is missing is not kept. */
  add(bytes: Buffer, from: number, to: number, isWanted: boolean): void {
    const length = to - from
    this.size += length
    if (this.loss !== undefined || length === 0) return
    if (!isWanted) this.#lose('not recorded')
    else if (this.#kept + length > this.#store.limits.disk) this.#lose('too large')
    else if (!this.#store.memory.take(length)) this.#lose('no room')
    else {
      this.#pieces.push(Buffer.from(bytes.subarray(from, to)))
      this.#kept += length
    }
  }

  /** Counts bytes that are not kept. */
  count(bytes: number): void {
    this.size += bytes
    if (bytes > 0 && this.loss === undefined) this.#lose('not recorded')
  }

  /** Moves a large body to disk. */
  finish(): void {
    if (this.#kept <= this.#store.limits.memory || this.#file !== undefined) return
    const file = this.#store.spill.write(this.#pieces, this.#kept, () => this.#evict())
    if (file === undefined) this.#lose('no room')
    else {
      this.#file = file
      this.#free()
    }
  }

  /** Returns its bytes; undefined where they were not kept. */
  async read(): Promise<Buffer | undefined> {
    if (this.loss !== undefined) return undefined
    if (this.#file === undefined) return Buffer.concat(this.#pieces)
    const bytes = await this.#store.spill.read(this.#file)
    if (bytes === undefined) this.#evict()
    return bytes
  }

  /** Deletes what was kept. */
  drop(): void {
    this.loss ??= 'evicted'
    this.#free()
    if (this.#file !== undefined) this.#store.spill.remove(this.#file)
    this.#file = undefined
  }

  #evict(): void {
    this.#file = undefined
    this.loss = 'evicted'
  }

  #lose(loss: Loss): void {
    this.loss = loss
    this.#free()
  }

  #free(): void {
    this.#store.memory.give(this.#kept)
    this.#pieces = []
    this.#kept = 0
  }
}
