import type { Paint, Style } from './output.ts'
import { oneLine } from './terminal-text.ts'

/** A cell: its text and how it is painted. */
export interface Cell {
  readonly text: string
  readonly style?: Style
}

/** A row; `note` is written on a line below it. */
export interface Row {
  readonly cells: readonly Cell[]
  readonly note?: string | undefined
}

/** Text in aligned columns under a heading; no line ends with spaces. */
export function table(heading: readonly string[], given: readonly Row[], paint: Paint): string {
  const rows = given.map(row => ({ ...row, cells: row.cells.map(cell => ({ ...cell, text: oneLine(cell.text) })) }))
  const widths = heading.map((title, column) =>
    rows.reduce((widest, row) => Math.max(widest, row.cells[column]?.text.length ?? 0), title.length),
  )
  const line = (cells: readonly Cell[]) => {
    const last = cells.findLastIndex(cell => cell.text !== '')
    return cells.slice(0, last + 1).map(({ text, style }, column) => {
      const painted = style === undefined ? text : paint(style, text)
      return column === last ? painted : painted + ' '.repeat((widths[column] ?? 0) - text.length)
    })
  }
  const lines = [line(heading.map(text => ({ text, style: 'bold' }))).join('  ')]
  for (const row of rows) {
    lines.push(line(row.cells).join('  '))
    if (row.note !== undefined) lines.push(...row.note.split('\n').map(text => `  ${paint('gray', text)}`))
  }
  return lines.join('\n')
}
