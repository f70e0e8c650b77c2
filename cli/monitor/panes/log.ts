import { palette } from '../../output/log-format.ts'
import { shortName } from '../../output/service-state.ts'
import { columnsOf, fit, shorten } from '../../screen/glyphs.ts'
import type { Area, Grid } from '../../screen/grid.ts'
import type { History } from '../feeds/history.ts'
import type { Entry } from '../model/log-buffer.ts'
import type { LogSearch } from '../model/log-search.ts'
import type { LogSize, LogView } from '../model/log-view.ts'
import { localTime } from './local-time.ts'
import type { Theme } from './theme.ts'
import { drawTitle } from './title.ts'

/** What the log shows. */
export interface LogContent {
  readonly title: string
  readonly keys: readonly string[]
  readonly view: LogView
  readonly search: LogSearch
  /** The search in older lines. */
  readonly history: History | undefined
  readonly isFocused: boolean
  /** Why there is no log. */
  readonly problem: string | undefined
  readonly theme: Theme
}

const longestName = 16
/** From so many columns on each line has its time. */
const timeColumns = 60

/** Returns how much room the text of a log has beside time and name. */
export function sizeOfLog({ columns, rows }: Area, keys: readonly string[]): LogSize {
  return { columns: Math.max(8, columns - 1 - prefixWidth(columns, keys)), rows: Math.max(1, rows) }
}

/** Draws the line above a log: of what it is, whether it follows, and the search. */
export function drawLogTitle(grid: Grid, area: Area, content: LogContent): void {
  const { title: left, isFocused, view, theme } = content
  drawTitle(grid, area, { left, right: describePosition(content), isFocused, isBehind: view.newLines > 0, theme })
}

/** Draws the lines. */
export function drawLog(grid: Grid, area: Area, content: LogContent): void {
  const { keys, view, theme, problem } = content
  const rows = view.rows(sizeOfLog(area, keys), theme.hits)
  const end = area.column + area.columns
  if (rows.length === 0) {
    const text = problem ?? (keys.length === 0 ? '' : content.search.isFilter ? 'No line matches.' : 'No output yet.')
    grid.write({ ...area, column: area.column + 1 }, shorten(text, area.columns - 2), theme.quiet, end)
    return
  }
  for (const [index, { entry, spans, isFirst }] of rows.entries()) {
    const row = area.row + index
    let column = area.column + 1
    if (isFirst) drawPrefix(grid, { ...area, column, row, rows: 1 }, entry, content)
    column += prefixWidth(area.columns, keys)
    for (const { text, style } of spans) column = grid.write({ column, row }, text, style, end)
  }
}

/** Returns where a search in older lines is, and of what day the line is that was found. */
function describeHistory(history: History, { search }: LogContent): string {
  const { all, at, percent, isAll } = history.count
  const found = at === 0 ? '' : `${at} of ${all}${isAll ? '' : '+'} older · `
  const progress = percent === undefined ? '' : `searching, ${percent} % · `
  const day = history.time === undefined ? '' : `${dayOf(history.time)} · `
  return `“${shorten(search.term, 20)}” ${found}${progress}${day}f newest`
}

function dayOf(time: string): string {
  return new Date(time).toLocaleDateString('en', { month: 'short', day: 'numeric' })
}

function describePosition(content: LogContent): string {
  const { view, search, history } = content
  if (history !== undefined) return describeHistory(history, content)
  const { newLines } = view
  const { all, at } = search.count
  const found = `${at === 0 ? '' : `${at} of `}${all} ${all === 1 ? 'line' : 'lines'}`
  const term = search.isOn ? `${search.isFilter ? 'only ' : ''}“${shorten(search.term, 20)}” ${found} · ` : ''
  const place = view.isFollowing ? 'following' : newLines > 0 ? `${newLines.toLocaleString('en')} new ↓` : 'paused'
  return term + place
}

function prefixWidth(columns: number, keys: readonly string[]): number {
  const time = columns >= timeColumns ? 'HH:MM:SS '.length : 0
  return time + (keys.length > 1 ? nameWidth(keys) + 1 : 0)
}

function nameWidth(keys: readonly string[]): number {
  return Math.min(longestName, Math.max(...namesOf(keys).map(columnsOf)))
}

/** Names with their project where there are several of those. */
function namesOf(keys: readonly string[]): readonly string[] {
  const projects = new Set(keys.map(key => key.slice(0, key.indexOf(':'))))
  return projects.size > 1 ? keys : keys.map(shortName)
}

function drawPrefix(grid: Grid, area: Area, entry: Entry, { keys, theme }: LogContent): void {
  let { column } = area
  const end = area.column + area.columns
  if (area.columns >= timeColumns)
    column = grid.write({ ...area, column }, `${localTime(entry.time)} `, theme.quiet, end)
  if (keys.length < 2) return
  const index = keys.indexOf(entry.service)
  const name = namesOf(keys)[index] ?? shortName(entry.service)
  const style = theme.paints[palette[Math.max(0, index) % palette.length] ?? 'cyan']
  grid.write({ ...area, column }, fit(shorten(name, nameWidth(keys), 'end'), nameWidth(keys)), style, end)
}
