import { frameFor } from '../screen/difference.ts'
import { shorten } from '../screen/glyphs.ts'
import { Grid } from '../screen/grid.ts'
import type { Model } from './model.ts'
import { TerminalModes } from './modes.ts'

const esc = '\x1b['
const inverse = '7'
/** The end of a frame that may have been interrupted, and of its style. */
const endFrame = `${esc}?2026l${esc}m`

/**
 * Draws the model on the user's terminal. Lines that leave the ordinary screen at its top go to the terminal's own
 * scrollback; a program's alternate screen is drawn on the terminal's.
 */
export class AttachedScreen {
  readonly #model: Model
  readonly #modes = new TerminalModes()
  /** What the terminal shows; undefined: not known. */
  #shown: Grid | undefined
  /** What its ordinary screen shows, while the alternate one is seen. */
  #ordinary: Grid | undefined
  #isAlternate = false
  /** Shown in the last row, over what is there. */
  message: string | undefined

  constructor(model: Model) {
    this.#model = model
  }

  /** Returns what makes room: what the terminal shows moves to its scrollback. */
  enter(columns: number, rows: number): string {
    this.#isAlternate = false
    this.#shown = new Grid(columns, rows)
    return `${'\n'.repeat(rows)}${esc}?25l`
  }

  /** Makes the next frame a whole one. */
  forget(): void {
    this.#shown = undefined
    this.#ordinary = undefined
  }

  /** Returns what makes the terminal of that size show the model; empty: it does. */
  frame(columns: number, rows: number): string {
    if (this.#shown?.columns !== columns || this.#shown.rows !== rows) this.forget()
    let out = this.#switch(columns, rows)
    if (!this.#isAlternate) out += this.#scroll(columns, rows)
    const grid = new Grid(columns, rows)
    this.#model.draw(grid)
    this.#drawMessage(grid)
    out += frameFor(this.#shown, grid)
    this.#shown = grid
    return `${out}${this.#modes.follow(this.#model)}${this.#model.takeBell() ? '\x07' : ''}`
  }

  /** Returns what restores the terminal, the cursor below what is shown. */
  leave(columns: number, rows: number): string {
    this.message = undefined
    const last = this.frame(columns, rows)
    const shown = this.#isAlternate ? this.#ordinary : this.#shown
    const alternate = this.#isAlternate ? `${esc}?1049l` : ''
    this.#isAlternate = false
    const end = endOf(shown)
    const below = `${esc}${end};1H${end === 0 ? '' : '\n'}${esc}J`
    return `${last}${endFrame}${this.#modes.reset()}${alternate}${below}${esc}?25h`
  }

  /** Enters or leaves the alternate screen, as the program did. */
  #switch(columns: number, rows: number): string {
    const { isAlternate } = this.#model
    if (isAlternate === this.#isAlternate) return ''
    this.#isAlternate = isAlternate
    if (!isAlternate) {
      this.#shown = this.#ordinary
      return `${esc}?1049l`
    }
    this.#ordinary = this.#shown
    this.#shown = new Grid(columns, rows)
    return `${esc}?1049h${esc}2J`
  }

  /** Draws lines that have left the screen, and scrolls them out of it. */
  #scroll(columns: number, rows: number): string {
    let out = ''
    for (let above = this.#model.takeScrolled(); above > 0; ) {
      const grid = new Grid(columns, rows)
      this.#model.draw(grid, above)
      const count = Math.min(above, rows)
      out += `${frameFor(this.#shown, grid)}${esc}${rows};1H${'\n'.repeat(count)}`
      this.#shown = grid.scrolled(count)
      above -= count
    }
    return out
  }

  #drawMessage(grid: Grid): void {
    if (this.message === undefined) return
    const text = shorten(` ${this.message} `, grid.columns)
    const row = grid.rows - 1
    grid.write({ column: 0, row }, ' '.repeat(grid.columns), inverse)
    grid.write({ column: 0, row }, text, inverse)
  }
}

/** Returns how many rows there are up to the last one that is not empty. */
function endOf(grid: Grid | undefined): number {
  let rows = grid?.rows ?? 0
  while (grid !== undefined && rows > 0 && isEmpty(grid, rows - 1)) rows--
  return rows
}

function isEmpty(grid: Grid, row: number): boolean {
  for (let column = 0; column < grid.columns; column++) if (grid.text(column, row) !== ' ') return false
  return true
}
