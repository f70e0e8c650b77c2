import { frameFor } from './difference.ts'
import type { Grid } from './grid.ts'

/** Between two frames, ms: at most 20 a second. */
const frameMs = 50

/** What frames are drawn with. */
export interface FrameSource {
  draw(): Grid
  write(text: string): void
}

/** Draws at most 20 frames a second, each in one write, and none while nothing changes. */
export class Frames {
  readonly #source: FrameSource
  #shown: Grid | undefined
  #timer: NodeJS.Timeout | undefined
  #lastMs = Number.NEGATIVE_INFINITY

  constructor(source: FrameSource) {
    this.#source = source
  }

  /** Draws a frame soon. */
  request(): void {
    if (this.#timer !== undefined) return
    const waitMs = Math.max(0, this.#lastMs + frameMs - performance.now())
    this.#timer = setTimeout(() => this.#draw(), waitMs)
  }

  /** Draws all of the screen soon: what it shows is unknown. */
  redraw(): void {
    this.#shown = undefined
    this.request()
  }

  close(): void {
    clearTimeout(this.#timer)
  }

  #draw(): void {
    this.#timer = undefined
    this.#lastMs = performance.now()
    const grid = this.#source.draw()
    const frame = frameFor(this.#shown, grid)
    this.#shown = grid
    if (frame !== '') this.#source.write(frame)
  }
}
