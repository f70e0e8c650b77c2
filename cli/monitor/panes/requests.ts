import { formatMeasured } from '../../../kernel/lib/duration.ts'
import type { ExchangeView } from '../../../plugins/proxy/provides.ts'
import { statusStyle } from '../../output/request-table.ts'
import { sanitizeLine } from '../../output/sanitize.ts'
import { shortName } from '../../output/service-state.ts'
import { columnsOf, fit, shorten } from '../../screen/glyphs.ts'
import type { Area, Grid } from '../../screen/grid.ts'
import type { Requests } from '../model/requests.ts'
import { localTime } from './local-time.ts'
import type { Theme } from './theme.ts'
import { drawTitle } from './title.ts'

/** What the list of requests shows. */
export interface RequestContent {
  readonly requests: Requests
  /** Those of the services whose requests are shown. */
  readonly rows: readonly ExchangeView[]
  /** The name of what they are of; undefined: of all. */
  readonly of: string | undefined
  readonly isFocused: boolean
  /** Whether services of several projects are shown. */
  readonly hasProjects: boolean
  readonly theme: Theme
}

interface Column {
  readonly name: string
  readonly width: number
  readonly align?: 'right'
  readonly text: (row: ExchangeView) => string
}

const gap = 1
const markerColumns = 2
const longestService = 20
/** Columns to drop where there is little room for the path, in this order. */
const expendable = ['time', 'service']
const leastPath = 20

/** The list of requests, the newest at its end. */
export class RequestPane {
  /** The id of the first one that is drawn. */
  #top: string | undefined

  draw(grid: Grid, area: Area, content: RequestContent): void {
    const { rows, requests, theme } = content
    const end = area.column + area.columns
    if (rows.length === 0) {
      grid.write({ ...area, column: area.column + 1 }, shorten(reasonOf(content), area.columns - 2), theme.quiet, end)
      return
    }
    const selected = requests.indexIn(rows)
    const top = this.#topOf(rows, selected, area.rows)
    const columns = chooseColumns(content, area.columns)
    for (const [index, row] of rows.slice(top, top + area.rows).entries()) {
      const place = { ...area, row: area.row + index, rows: 1 }
      if (top + index === selected) grid.write(place, '▌', content.isFocused ? theme.accent : theme.quiet)
      drawRow(grid, place, row, columns, theme)
    }
  }

  /** Scrolls so that the selected one is seen; what is seen stays when others come or go. */
  #topOf(rows: readonly ExchangeView[], selected: number, room: number): number {
    const known = rows.findIndex(({ id }) => id === this.#top)
    const near = Math.max(Math.min(known < 0 ? selected : known, selected), selected - room + 1)
    const top = Math.max(0, Math.min(near, rows.length - room))
    this.#top = rows[top]?.id
    return top
  }
}

/** Draws the line above the requests: of what they are, the filter, and whether it follows. */
export function drawRequestTitle(grid: Grid, area: Area, content: RequestContent): void {
  const { requests, rows, of, isFocused, theme } = content
  const count = requests.newIn(rows)
  const { filter } = requests
  const found = filter === '' ? '' : `only “${shorten(sanitizeLine(filter), 24)}” ${rows.length} · `
  const place = requests.isFollowing ? 'following' : count > 0 ? `${count.toLocaleString('en')} new ↓` : 'paused'
  const left = of === undefined ? 'requests' : `requests of ${of}`
  drawTitle(grid, area, { left, right: found + place, isFocused, isBehind: count > 0, theme })
}

function reasonOf({ requests, of }: RequestContent): string {
  if (requests.problem !== undefined) return requests.problem
  if (requests.filter !== '') return 'No request matches.'
  return of === undefined ? 'No requests yet: open the URL of a service.' : `No requests of ${of}: press a for all.`
}

function chooseColumns(content: RequestContent, room: number): readonly Column[] {
  let all = columnsFor(content)
  const path = () => room - markerColumns - 1 - all.reduce((sum, { width }) => sum + width + gap, 0)
  for (const name of expendable) if (path() < leastPath) all = all.filter(column => column.name !== name)
  const width = Math.max(0, path())
  return all.map(column => (column.name === 'path' ? { ...column, width } : column))
}

function columnsFor({ rows, hasProjects }: RequestContent): readonly Column[] {
  const nameOf = ({ service }: ExchangeView) => (service === null ? '-' : hasProjects ? service : shortName(service))
  const names = new Set(rows.map(nameOf))
  const service = Math.min(longestService, Math.max(...[...names].map(columnsOf)))
  return [
    { name: 'time', width: 8, text: ({ time }) => localTime(time) },
    { name: 'method', width: 6, text: ({ method }) => method },
    { name: 'status', width: 3, text: statusOf },
    { name: 'path', width: 0, text: ({ path, host, service }) => (service === null ? `${host}${path}` : path) },
    { name: 'service', width: service, text: nameOf },
    { name: 'took', width: 7, align: 'right', text: tookOf },
  ]
}

function statusOf({ status, error }: ExchangeView): string {
  return status === null ? (error === null ? '…' : '-') : String(status)
}

function tookOf({ durationMs, kind }: ExchangeView): string {
  return durationMs === null ? (kind === 'http' ? '…' : 'open') : formatMeasured(durationMs)
}

function drawRow(grid: Grid, area: Area, row: ExchangeView, columns: readonly Column[], theme: Theme): void {
  let column = area.column + markerColumns
  for (const { name, width, align, text } of columns) {
    const shown = fit(sanitizeLine(text(row)), width, align)
    grid.write({ ...area, column }, shown, styleOf(name, row, theme), area.column + area.columns)
    column += width + gap
  }
}

function styleOf(name: string, { status, error }: ExchangeView, { paints, quiet }: Theme): string {
  if (name === 'status' && status !== null) return paints[statusStyle(status) ?? 'gray']
  if (error !== null && (name === 'status' || name === 'took')) return paints.red
  return name === 'path' || name === 'method' ? '' : quiet
}
