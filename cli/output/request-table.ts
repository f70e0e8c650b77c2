import { formatMeasured } from '../../kernel/lib/duration.ts'
import type { ExchangeView } from '../../plugins/proxy/provides.ts'
import { formatBytes } from './humanize.ts'
import { sanitizeLine } from './sanitize.ts'
import { type Cell, fitOn, table } from './table.ts'
import { painter, type Style } from './terminal.ts'

/** Columns to drop where the terminal is too narrow, in this order. */
const expendable = ['SIZE', 'TIME', 'SERVICE', 'TOOK', 'HOST', 'ID']
const heading = ['ID', 'TIME', 'METHOD', 'STATUS', 'TOOK', 'SIZE', 'SERVICE', 'HOST', 'PATH']
/** Widths of the columns of a request that is printed alone; the path has the rest. */
const widths = [9, 8, 7, 6, 8, 9, 20, 0, 0]

/** Formats requests as a table that fits the terminal. */
export function requestTable(rows: readonly ExchangeView[]): string {
  const cells = rows.map(row => ({ cells: cellsOf(row), note: row.error ?? undefined }))
  return table(heading, cells, painter(process.stdout), fitOn(process.stdout, expendable))
}

/** Formats one request as a line that fits the terminal. */
export function requestLine(row: ExchangeView): string {
  const paint = painter(process.stdout)
  const { columns = 0, isTTY } = process.stdout
  const isNarrow = isTTY && columns < 100
  let left = isTTY && columns > 0 ? columns : Number.POSITIVE_INFINITY
  const texts = cellsOf(row).flatMap(({ text, style }, column) => {
    const name = heading[column] ?? ''
    if (name === 'HOST' || (isNarrow && ['TIME', 'SIZE', 'SERVICE'].includes(name))) return []
    const width = widths[column] ?? 0
    const plain = sanitizeLine(name === 'PATH' && !isNarrow ? `${row.host}${text}` : text)
    const shown = plain.length > left ? `${plain.slice(0, Math.max(0, left - 1))}…` : plain.padEnd(width)
    left -= Math.max(width, shown.length) + 2
    return [style === undefined ? shown : paint(style, shown)]
  })
  return texts.join('  ').trimEnd()
}

function cellsOf(row: ExchangeView): readonly Cell[] {
  const { id, time, method, status, durationMs, responseBytes, service, host, path, kind } = row
  const date = new Date(time)
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(it => String(it).padStart(2, '0')).join(':')
  return [
    ...[{ text: id }, { text: clock }, { text: method }, statusCell(status)],
    { text: durationMs === null ? (kind === 'http' ? '…' : 'open') : formatMeasured(durationMs) },
    ...[{ text: formatBytes(responseBytes) }, { text: service ?? '-' }, { text: host }, { text: path }],
  ]
}

function statusCell(status: number | null): Cell {
  if (status === null) return { text: '-', style: 'red' }
  const style = statusStyle(status)
  return { text: String(status), ...(style === undefined ? {} : { style }) }
}

/** Returns the colour of a status. */
export function statusStyle(status: number): Style | undefined {
  const styles: Readonly<Record<number, Style>> = { 2: 'green', 3: 'cyan', 4: 'yellow', 5: 'red' }
  return styles[Math.floor(status / 100)]
}
