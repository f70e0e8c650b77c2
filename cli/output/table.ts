import { columnsOf, shorten } from '../screen/glyphs.ts'
import { textOf, wrapWords } from '../screen/spans.ts'
import { sanitizeLine } from './sanitize.ts'
import type { Paint, Style } from './terminal.ts'

/** A cell: its text, how it is painted, and which part of it is kept in the first column. */
export interface Cell {
  readonly text: string
  readonly style?: Style
  /** Default: the start. */
  readonly keeps?: 'start' | 'end'
}

/** A row; `note` is written on a line below it. */
export interface Row {
  readonly cells: readonly Cell[]
  readonly note?: string | undefined
}

/** How wide a table may be, and the titles of the columns to drop for that, the least important first. */
export interface Fit {
  readonly columns: number
  readonly drop: readonly string[]
}

/** Returns the width of a terminal for a table; undefined where there is none, and all columns are printed. */
export function fitOn(stream: { isTTY?: boolean; columns?: number }, drop: readonly string[]): Fit | undefined {
  return stream.isTTY === true && stream.columns ? { columns: stream.columns, drop } : undefined
}

/** Formats rows in aligned columns under a heading; no line ends with spaces. */
export function table(heading: readonly string[], given: readonly Row[], paint: Paint, fit?: Fit): string {
  const rows = given.map(row => ({
    ...row,
    cells: row.cells.map(cell => ({ ...cell, text: sanitizeLine(cell.text) })),
  }))
  return fit === undefined ? alignColumns(heading, rows, paint) : fitColumns(heading, rows, paint, fit)
}

function fitColumns(heading: readonly string[], rows: readonly Row[], paint: Paint, { columns, drop }: Fit): string {
  const widths = heading.map((title, column) => widthOf(title, rows, column))
  const kept = new Set(heading.keys())
  const width = () => [...kept].reduce((sum, column) => sum + (widths[column] ?? 0) + gap, -gap)
  for (const title of drop) if (width() > columns) kept.delete(heading.indexOf(title))
  const rest = <T>(all: readonly T[]) => all.filter((_, column) => kept.has(column))
  return alignColumns(
    rest(heading),
    shortened(
      rows.map(row => ({ ...row, cells: rest(row.cells) })),
      width() - columns,
    ),
    paint,
    columns,
  )
}

/**
 * Cuts this many columns off the first and the last one, the wider first: of the last its start, as the end of a path or
 * a URL says most.
 */
function shortened(rows: readonly Row[], excess: number): readonly Row[] {
  if (excess <= 0) return rows
  const last = (rows[0]?.cells.length ?? 0) - 1
  const [first, end] = shares(widthOf('', rows, 0), widthOf('', rows, last), excess)
  return rows.map(row => ({
    ...row,
    cells: row.cells.map((cell, column) => {
      if (column === last) return { ...cell, text: shorten(cell.text, end, 'end') }
      return column === 0 ? { ...cell, text: shorten(cell.text, first, cell.keeps) } : cell
    }),
  }))
}

/** Returns the widths of two columns without the excess: neither is cut below the other, nor below `leastShown`. */
function shares(first: number, last: number, excess: number): readonly [number, number] {
  const left = first + last - excess
  const least = (width: number) => Math.min(width, leastShown)
  const half = Math.ceil(left / 2)
  if (first <= half) return [first, Math.max(least(last), left - first)]
  if (last <= half) return [Math.max(least(first), left - last), last]
  return [Math.max(least(first), half), Math.max(least(last), left - half)]
}

const gap = 2
/** A cell is not cut to fewer columns. */
const leastShown = 8
const noteIndent = '  '

function widthOf(title: string, rows: readonly Row[], column: number): number {
  return rows.reduce((widest, row) => Math.max(widest, columnsOf(row.cells[column]?.text ?? '')), title.length)
}

/** Returns the lines of a note, broken between words where they are too long. */
function linesOf(note: string, columns: number | undefined): readonly string[] {
  const lines = note.split('\n').map(sanitizeLine)
  if (columns === undefined) return lines
  const width = Math.max(leastShown, columns - noteIndent.length)
  return lines.flatMap(text => wrapWords([{ text, style: '' }], width).map(spans => textOf(spans).trimEnd()))
}

function alignColumns(heading: readonly string[], rows: readonly Row[], paint: Paint, columns?: number): string {
  const widths = heading.map((title, column) => widthOf(title, rows, column))
  const line = (cells: readonly Cell[]) => {
    const last = cells.findLastIndex(cell => cell.text !== '')
    return cells.slice(0, last + 1).map(({ text, style }, column) => {
      const painted = style === undefined ? text : paint(style, text)
      return column === last ? painted : painted + ' '.repeat((widths[column] ?? 0) - columnsOf(text))
    })
  }
  const lines = [line(heading.map(text => ({ text, style: 'bold' }))).join('  ')]
  for (const row of rows) {
    lines.push(line(row.cells).join('  '))
    if (row.note !== undefined)
      lines.push(...linesOf(row.note, columns).map(text => `${noteIndent}${paint('gray', text)}`))
  }
  return lines.join('\n')
}
