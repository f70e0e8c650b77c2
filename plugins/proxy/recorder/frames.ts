import type { FrameView } from '../provides.ts'
import type { Budget } from './budget.ts'

/** A message as it passed. */
export interface Frame {
  /** ms since the epoch. */
  readonly time: number
  readonly from: FrameView['from']
  readonly type: FrameView['type']
  readonly size: number
  /** Undefined where it was not kept. */
  readonly data: Buffer | undefined
  readonly note: string | null
}

/** Bytes of one frame that are kept, and the number of frames of one exchange. */
export const frameLimits = { bytes: 64 * 1024, count: 200 } as const

/** The latest frames of a WebSocket or an event stream. */
export class Frames {
  /** Frames that were not kept, or made room for later ones. */
  lost = 0
  readonly #memory: Budget
  #list: Frame[] = []
  #isDropped = false

  constructor(memory: Budget) {
    this.#memory = memory
  }

  get list(): readonly Frame[] {
    return this.#list
  }

  /** Keeps a frame. */
  add(frame: Frame): void {
    if (this.#isDropped) return void this.miss()
    if (this.#list.length === frameLimits.count) this.#shift()
    const { data } = frame
    const kept = data === undefined || this.#memory.take(data.length)
    this.#list.push(kept ? frame : { ...frame, data: undefined, note: 'the memory for recorded bodies is full' })
  }

  /** Counts a frame that passed while no one looked. */
  miss(): void {
    this.lost += 1
  }

  /** Deletes all, and keeps no more. */
  drop(): void {
    this.#isDropped = true
    this.lost += this.#list.length
    for (const { data } of this.#list) this.#memory.give(data?.length ?? 0)
    this.#list = []
  }

  #shift(): void {
    const first = this.#list.shift()
    this.#memory.give(first?.data?.length ?? 0)
    this.lost += 1
  }
}
