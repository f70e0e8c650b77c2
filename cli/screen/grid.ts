import { isPlain, splitGlyphs } from './glyphs.ts'

/** A place on the screen, from 0. */
export interface Place {
  readonly column: number
  readonly row: number
}

/** A rectangle of the screen. */
export interface Area extends Place {
  readonly columns: number
  readonly rows: number
}

/**
 * What a screen shows: a glyph and a style for each cell. A style is a list of parameters of Select Graphic Rendition,
 * such as `1;31`; the second cell of a wide glyph is empty.
 */
export class Grid {
  readonly columns: number
  readonly rows: number
  /** Where the cursor is shown; undefined: it is hidden. */
  cursor: Place | undefined
  readonly #texts: string[]
  readonly #styles: string[]

  constructor(columns: number, rows: number) {
    this.columns = columns
    this.rows = rows
    this.#texts = new Array<string>(columns * rows).fill(' ')
    this.#styles = new Array<string>(columns * rows).fill('')
  }

  /** The glyph in a cell; empty: the second half of a wide one. */
  text(column: number, row: number): string {
    return this.#texts[row * this.columns + column] ?? ' '
  }

  style(column: number, row: number): string {
    return this.#styles[row * this.columns + column] ?? ''
  }

  /** Writes text up to the column `end`, control characters left out; returns the column after it. */
  write({ column, row }: Place, text: string, style = '', end = this.columns): number {
    const limit = Math.min(end, this.columns)
    if (row < 0 || row >= this.rows || column < 0 || column >= limit) return column
    if (!isPlain(text)) return this.#writeGlyphs({ column, row }, text, style, limit)
    const count = Math.min(text.length, limit - column)
    for (let index = 0; index < count; index++) this.#set(column + index, row, text[index] ?? ' ', style)
    return column + count
  }

  /** Gives all cells of an area one style. */
  paint({ column, row, columns, rows }: Area, style: string): void {
    for (let y = row; y < Math.min(row + rows, this.rows); y++) {
      for (let x = column; x < Math.min(column + columns, this.columns); x++) this.#styles[y * this.columns + x] = style
    }
  }

  /** Returns what it shows after it has scrolled by so many rows, without a cursor. */
  scrolled(count: number): Grid {
    const grid = new Grid(this.columns, this.rows)
    const cells = count * this.columns
    for (let at = cells; at < this.#texts.length; at++) {
      grid.#texts[at - cells] = this.#texts[at] ?? ' '
      grid.#styles[at - cells] = this.#styles[at] ?? ''
    }
    return grid
  }

  #writeGlyphs({ column, row }: Place, text: string, style: string, limit: number): number {
    let at = column
    for (const glyph of splitGlyphs(text)) {
      if (at + glyph.width > limit) break
      this.#set(at, row, glyph.text, style)
      if (glyph.width === 2) this.#set(at + 1, row, '', style)
      at += glyph.width
    }
    return at
  }

  #set(column: number, row: number, text: string, style: string): void {
    const index = row * this.columns + column
    // Half of a wide glyph is a space.
    if (text !== '' && this.#texts[index] === '' && column > 0) this.#texts[index - 1] = ' '
    if (column + 1 < this.columns && this.#texts[index + 1] === '' && text !== '') this.#texts[index + 1] = ' '
    if (text === '' && column + 1 < this.columns && this.#texts[index + 1] === '' && this.#texts[index] !== '')
      this.#texts[index + 1] = ' '
    this.#texts[index] = text
    this.#styles[index] = style
  }
}
