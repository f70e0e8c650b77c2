import type { ServiceView } from '../../../kernel/events.ts'
import { formatBytes } from '../../output/humanize.ts'
import { stateOf } from '../../output/service-state.ts'
import { formatUptime, uptimeOf } from '../../output/uptime.ts'
import { columnsOf, fit, shorten } from '../../screen/glyphs.ts'
import type { Area, Grid } from '../../screen/grid.ts'
import type { Row } from '../model/services.ts'
import { shapeOf, shapeStyle, type Theme, wordOf, wordStyle } from './theme.ts'

/** What the list shows. */
export interface ListContent {
  readonly rows: readonly Row[]
  readonly selected: Row | undefined
  readonly isFocused: boolean
  readonly theme: Theme
  reasonOf(view: ServiceView): string | undefined
}

interface Column {
  readonly title: string
  readonly width: number
  readonly align: 'left' | 'right'
  readonly text: (view: ServiceView) => string
}

/** One line on the screen; `row` is the one that it belongs to. */
interface Line {
  readonly row: Row
  readonly reason?: string
}

/** Columns to drop where there is little room, in this order. */
const expendable = ['URL', 'CPU', 'MEM', 'UPTIME', 'HEALTH', 'PORT']
const gap = 2
/** The marker of the selected row, the shape, and spaces. */
const indent = 4
const longestName = 28
const shortestName = 12
const leastUrl = 20

/** Returns how many lines and columns a list takes, its heading included. */
export function sizeOfList({ rows, reasonOf }: Pick<ListContent, 'rows' | 'reasonOf'>): {
  readonly rows: number
  readonly columns: number
} {
  const reasons = rows.filter(row => row.kind === 'service' && reasonOf(row.view) !== undefined).length
  const columns = [...fixedColumns(nameWidth(rows))].reduce((sum, { width }) => sum + width + gap, indent)
  return { rows: 1 + rows.length + reasons, columns }
}

/** The list of services. */
export class ListPane {
  #top = 0

  draw(grid: Grid, area: Area, content: ListContent): void {
    if (area.rows < 1) return
    const columns = chooseColumns(content.rows, area.columns)
    drawHeading(grid, area, columns, content.theme)
    const lines = content.rows.flatMap(row => linesOf(row, content))
    const room = area.rows - 1
    this.#show(lines, content.selected, room)
    for (const [index, line] of lines.slice(this.#top, this.#top + room).entries())
      drawLine(grid, { ...area, row: area.row + 1 + index, rows: 1 }, line, columns, content)
  }

  /** How many rows one page is. */
  static page(area: Area): number {
    return Math.max(1, area.rows - 2)
  }

  /** Scrolls so that all lines of the selected row are seen. */
  #show(lines: readonly Line[], selected: Row | undefined, room: number): void {
    const first = lines.findIndex(({ row }) => row.id === selected?.id)
    const last = lines.findLastIndex(({ row }) => row.id === selected?.id)
    // The project of the first service, too.
    const from = first > 0 && lines[first - 1]?.row.kind === 'project' ? first - 1 : first
    this.#top = Math.max(Math.min(this.#top, from), last - room + 1)
    this.#top = Math.max(0, Math.min(this.#top, lines.length - room))
  }
}

function linesOf(row: Row, { reasonOf }: ListContent): readonly Line[] {
  const reason = row.kind === 'service' ? reasonOf(row.view) : undefined
  return reason === undefined ? [{ row }] : [{ row }, { row, reason: reason.split('\n')[0] ?? '' }]
}

function nameWidth(rows: readonly Row[]): number {
  const names = rows.flatMap(row => (row.kind === 'service' ? [columnsOf(row.view.name)] : []))
  return Math.min(longestName, Math.max(shortestName, ...names))
}

/** All columns but the URL, whose width is what is left. */
function fixedColumns(name: number): readonly Column[] {
  return [
    { title: 'NAME', width: name, align: 'left', text: view => view.name },
    { title: 'STATUS', width: 10, align: 'left', text: view => wordOf(view.status) },
    { title: 'HEALTH', width: 9, align: 'left', text: view => (view.health === null ? '-' : wordOf(view.health)) },
    { title: 'PORT', width: 5, align: 'right', text: view => String(view.port ?? '-') },
    { title: 'CPU', width: 6, align: 'right', text: view => (view.cpu === null ? '-' : `${view.cpu.toFixed(1)}%`) },
    { title: 'MEM', width: 6, align: 'right', text: view => (view.memory === null ? '-' : formatBytes(view.memory)) },
    { title: 'UPTIME', width: 6, align: 'right', text: view => formatUptime(uptimeOf(view, Date.now())) },
  ]
}

function chooseColumns(rows: readonly Row[], columns: number): readonly Column[] {
  let all = [...fixedColumns(nameWidth(rows))]
  const used = () => all.reduce((sum, { width }) => sum + width + gap, indent - gap)
  for (const title of expendable) if (used() > columns) all = all.filter(column => column.title !== title)
  // Without its own column, the health is in the status: a running service is ready, or unhealthy.
  if (!all.some(({ title }) => title === 'HEALTH')) {
    all = all.map(column =>
      column.title === 'STATUS' ? { ...column, text: (view: ServiceView) => wordOf(stateOf(view)) } : column,
    )
  }
  const url = columns - used() - gap - 1
  if (url < leastUrl) return all
  return [...all, { title: 'URL', width: url, align: 'left', text: view => view.url ?? '-' }]
}

function drawHeading(grid: Grid, area: Area, columns: readonly Column[], { quiet }: Theme): void {
  let column = area.column + indent
  for (const { title, width, align } of columns) {
    const shown = title === 'URL' ? title : fit(title, width, align)
    grid.write({ ...area, column }, shown, quiet, area.column + area.columns)
    column += width + gap
  }
}

function drawLine(grid: Grid, area: Area, line: Line, columns: readonly Column[], content: ListContent): void {
  const { selected, isFocused, theme } = content
  const isSelected = line.row.id === selected?.id
  if (isSelected) grid.write(area, '▌', isFocused ? theme.accent : theme.quiet)
  if (line.row.kind === 'project') drawProject(grid, area, line.row, isSelected, theme)
  else if (line.reason !== undefined) drawReason(grid, area, line.row.view, line.reason, theme)
  else drawService(grid, area, line.row.view, columns, isSelected, theme)
}

function drawProject(
  grid: Grid,
  area: Area,
  { name, id }: Extract<Row, { kind: 'project' }>,
  isSelected: boolean,
  { strong, accent, quiet }: Theme,
): void {
  const end = area.column + area.columns - 1
  const at = grid.write({ ...area, column: area.column + 2 }, name, isSelected ? `${strong};${accent}` : strong, end)
  const room = end - at - gap
  if (room > 8) grid.write({ ...area, column: at + gap }, shorten(id, room, 'end'), quiet, end)
}

function drawReason(grid: Grid, area: Area, view: ServiceView, reason: string, theme: Theme): void {
  const end = area.column + area.columns
  const text = shorten(reason, area.columns - indent - 1)
  const state = stateOf(view)
  const isBad = state === 'failed' || state === 'unhealthy'
  grid.write({ ...area, column: area.column + indent }, text, isBad ? theme.paints.red : theme.quiet, end)
}

function drawService(
  grid: Grid,
  area: Area,
  view: ServiceView,
  columns: readonly Column[],
  isSelected: boolean,
  theme: Theme,
): void {
  const state = stateOf(view)
  const end = area.column + area.columns
  grid.write({ ...area, column: area.column + 2 }, shapeOf(state), shapeStyle(state, theme), end)
  let column = area.column + indent
  for (const { title, width, align, text } of columns) {
    const style = styleOfCell(title, view, theme)
    const own = title === 'NAME' && isSelected ? theme.strong : style
    // Without spaces at the end of the line, which would be copied with it.
    const shown = title === 'URL' ? shorten(text(view), width) : fit(text(view), width, align)
    grid.write({ ...area, column }, shown, own, end)
    column += width + gap
  }
}

function styleOfCell(title: string, view: ServiceView, theme: Theme): string {
  const state = stateOf(view)
  const isOff = state === 'stopped' || state === 'exited'
  if (title === 'STATUS') return wordStyle(view.status === 'running' ? state : view.status, theme)
  if (title === 'HEALTH') return view.health === 'unhealthy' ? theme.paints.red : isOff ? theme.quiet : ''
  return title !== 'NAME' || isOff ? (title === 'URL' || isOff ? theme.quiet : '') : ''
}
