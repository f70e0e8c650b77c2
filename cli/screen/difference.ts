import { isPlain } from './glyphs.ts'
import { Grid } from './grid.ts'

const esc = '\x1b['

/**
 * Returns what a terminal that shows `before` must receive to show `after`, as one frame: between the marks of a
 * synchronised update, so that no half of it is seen. Empty: they are the same. Without `before` the screen is cleared
 * first, as its content is unknown.
 */
export function frameFor(before: Grid | undefined, after: Grid): string {
  const isKnown = before !== undefined && before.columns === after.columns && before.rows === after.rows
  const from = isKnown ? before : new Grid(after.columns, after.rows)
  const writer = new FrameWriter(from, after)
  const changes = writer.changes()
  const cursor = cursorOf(after)
  if (isKnown && changes === '' && cursorOf(before) === cursor) return ''
  return `${esc}?2026h${isKnown ? '' : `${esc}m${esc}2J`}${changes}${cursor}${esc}?2026l`
}

function cursorOf({ cursor }: Grid): string {
  return cursor === undefined ? `${esc}?25l` : `${esc}${cursor.row + 1};${cursor.column + 1}H${esc}?25h`
}

class FrameWriter {
  readonly #before: Grid
  readonly #after: Grid
  #out = ''
  #style = ''
  /** Where the terminal's cursor is; -1: not known. */
  #column = -1
  #row = -1

  constructor(before: Grid, after: Grid) {
    this.#before = before
    this.#after = after
  }

  changes(): string {
    for (let row = 0; row < this.#after.rows; row++) this.#writeRow(row)
    this.#setStyle('')
    return this.#out
  }

  #writeRow(row: number): void {
    const { columns } = this.#after
    const blank = this.#blankFrom(row)
    for (let column = 0; column < columns; column++) {
      if (this.#isSame(column, row)) continue
      if (column >= blank) {
        this.#moveTo(column, row)
        this.#setStyle('')
        this.#out += `${esc}K`
        return
      }
      this.#writeCell(column, row)
    }
  }

  #isSame(column: number, row: number): boolean {
    const [before, after] = [this.#before, this.#after]
    return (
      before.text(column, row) === after.text(column, row) && before.style(column, row) === after.style(column, row)
    )
  }

  /** Writes a glyph; of a wide one whose second half alone differs, the whole. */
  #writeCell(column: number, row: number): void {
    const text = this.#after.text(column, row)
    if (text === '') {
      this.#writeCell(column - 1, row)
      return
    }
    this.#moveTo(column, row)
    this.#setStyle(this.#after.style(column, row))
    this.#out += text
    // Terminals differ in the width of some glyphs: the next one is placed, not appended.
    this.#column = isPlain(text) ? column + 1 : -1
  }

  #moveTo(column: number, row: number): void {
    if (this.#row !== row || this.#column !== column) this.#out += `${esc}${row + 1};${column + 1}H`
    this.#column = column
    this.#row = row
  }

  #setStyle(style: string): void {
    if (style !== this.#style) this.#out += style === '' ? `${esc}m` : `${esc}0;${style}m`
    this.#style = style
  }

  /** Returns the column from which on a row is empty. */
  #blankFrom(row: number): number {
    let column = this.#after.columns
    while (column > 0 && this.#after.text(column - 1, row) === ' ' && this.#after.style(column - 1, row) === '')
      column--
    return column
  }
}
