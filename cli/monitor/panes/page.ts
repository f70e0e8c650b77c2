import type { Area, Grid } from '../../screen/grid.ts'
import { type Span, wrapWords } from '../../screen/spans.ts'
import type { Theme } from './theme.ts'

/** Text over the log or the whole screen, such as the help. */
export class Page {
  readonly title: string
  readonly lines: readonly (readonly Span[])[]
  /** The id of the request that it shows. */
  readonly request: string | undefined
  #top = 0
  /** The lines as broken for so many columns. */
  #broken: { readonly columns: number; readonly rows: readonly (readonly Span[])[] } | undefined

  constructor(title: string, lines: readonly (readonly Span[])[], request?: string) {
    this.title = title
    this.lines = lines
    this.request = request
  }

  /** Moves by so many rows. */
  scroll(by: number): void {
    this.#top = Math.max(0, this.#top + by)
  }

  /** Draws the title and the text, over what is there. */
  draw(grid: Grid, area: Area, { accent, strong, quiet }: Theme): void {
    const end = area.column + area.columns
    const blank = ' '.repeat(area.columns)
    for (let row = 0; row < area.rows; row++) grid.write({ ...area, row: area.row + row }, blank, '', end)
    grid.write(area, '─'.repeat(area.columns), quiet, end)
    grid.write({ ...area, column: area.column + 1 }, ` ${this.title} `, `${strong};${accent}`, end)
    const rows = this.#rowsFor(Math.max(8, area.columns - 3))
    this.#top = Math.max(0, Math.min(this.#top, rows.length - area.rows + 1))
    const rest = rows.length - this.#top - area.rows + 1
    const note = rest > 0 ? ` ${rest} more ↓ ` : ' Esc closes '
    grid.write({ ...area, column: end - note.length - 2 }, note, quiet, end)
    for (const [index, spans] of rows.slice(this.#top, this.#top + area.rows - 1).entries()) {
      let column = area.column + 2
      for (const { text, style } of spans) column = grid.write({ column, row: area.row + 1 + index }, text, style, end)
    }
  }

  #rowsFor(columns: number): readonly (readonly Span[])[] {
    if (this.#broken?.columns !== columns)
      this.#broken = { columns, rows: this.lines.flatMap(line => wrapWords(line, columns)) }
    return this.#broken.rows
  }
}
