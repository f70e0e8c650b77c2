import { formatDuration } from '../output/humanize.ts'
import { fit } from '../screen/glyphs.ts'
import { type Area, Grid } from '../screen/grid.ts'
import type { Span } from '../screen/spans.ts'
import { hints, requestHints, requestPageHints } from './keymap.ts'
import type { Message } from './message.ts'
import type { LogSize } from './model/log-view.ts'
import { drawFoot, drawHead, type Hint } from './panes/bars.ts'
import { arrange, type Layout, least } from './panes/layout.ts'
import { ListPane, sizeOfList } from './panes/list.ts'
import { drawLog, drawLogTitle, sizeOfLog } from './panes/log.ts'
import { drawRequestTitle, RequestPane } from './panes/requests.ts'
import type { Theme } from './panes/theme.ts'
import type { State } from './state.ts'

/** A page in the place of the log has at least so many rows; otherwise it takes all of the screen. */
const leastPage = 12

/** Draws the state on a grid. */
export class Screen {
  readonly #theme: Theme
  readonly #list = new ListPane()
  readonly #requests = new RequestPane()
  #layout: Layout | undefined

  constructor(theme: Theme) {
    this.#theme = theme
  }

  /** How much of the log was drawn last. */
  logSize(state: State): LogSize {
    return sizeOfLog(this.#layout?.log ?? { column: 0, row: 0, columns: 80, rows: 10 }, state.logKeys)
  }

  /** How many requests one page is. */
  get requestPage(): number {
    return Math.max(1, (this.#layout?.log.rows ?? 10) - 1)
  }

  draw(state: State, columns: number, rows: number, message: Message | undefined): Grid {
    const grid = new Grid(columns, rows)
    if (columns < least.columns || rows < least.rows) {
      drawTooSmall(grid)
      return grid
    }
    const layout = this.#arrange(state, columns, rows)
    this.#layout = layout
    this.#drawBody(grid, layout, state)
    const body = { ...layout.head, row: 1, rows: rows - 2 }
    if (state.daemon !== 'found') grid.paint(body, this.#theme.quiet)
    this.#drawPage(grid, layout, body, state)
    this.#drawBars(grid, layout, state, message)
    return grid
  }

  #arrange(state: State, columns: number, rows: number): Layout {
    const list = sizeOfList({ rows: state.services.rows(), reasonOf: view => state.services.reasonOf(view) })
    return arrange({ columns, rows, listRows: list.rows, listColumns: list.columns, isZoomed: state.isZoomed })
  }

  #drawBody(grid: Grid, { list, separator, title, log }: Layout, state: State): void {
    const theme = this.#theme
    const rows = state.services.rows()
    if (rows.length === 0) {
      drawEmpty(grid, { ...list, row: 2, columns: grid.columns }, state, theme)
      return
    }
    const { selected } = state
    const isFocused = state.focus === 'list'
    this.#list.draw(grid, list, { rows, selected, isFocused, theme, reasonOf: view => state.services.reasonOf(view) })
    if (separator !== undefined)
      for (let row = 0; row < separator.rows; row++)
        grid.write({ ...separator, row: separator.row + row }, '│', theme.quiet)
    if (state.pane === 'requests') this.#drawRequests(grid, { log, title }, state)
    else this.#drawLog(grid, { log, title }, state)
  }

  #drawRequests(grid: Grid, { log, title }: Pick<Layout, 'log' | 'title'>, state: State): void {
    const { requests, services } = state
    const content = {
      ...{ requests, rows: state.shownRequests, theme: this.#theme },
      of: state.hasAllRequests ? undefined : nameOfSelected(state),
      isFocused: state.focus === 'log' || state.isZoomed,
      hasProjects: new Set(services.views.map(({ project }) => project)).size > 1,
    }
    this.#requests.draw(grid, log, content)
    drawRequestTitle(grid, title, content)
  }

  #drawLog(grid: Grid, { log, title }: Pick<Layout, 'log' | 'title'>, state: State): void {
    const content = {
      title: state.showsAll ? 'all services' : nameOfSelected(state),
      keys: state.logKeys,
      view: state.log,
      search: state.search,
      history: state.history,
      isFocused: state.focus === 'log' || state.isZoomed,
      problem: state.logProblem,
      theme: this.#theme,
    }
    drawLog(grid, log, content)
    drawLogTitle(grid, title, content)
  }

  #drawPage(grid: Grid, { title, log }: Layout, body: Area, { page }: State): void {
    const room = { ...title, rows: log.rows + 1 }
    page?.draw(grid, room.rows >= Math.min(leastPage, page.lines.length + 1) ? room : body, this.#theme)
  }

  #drawBars(grid: Grid, { head, foot }: Layout, state: State, message: Message | undefined): void {
    const theme = this.#theme
    const { views } = state.services
    const projects = [...new Set(views.map(({ project }) => project))]
    const title =
      projects.length === 1 ? (projects[0] ?? '') : projects.length === 0 ? '' : `${projects.length} projects`
    drawHead(grid, head, { title, views, lost: describeLost(state), theme })
    const keys = hintsFor(state)
    if (state.prompt === undefined) drawFoot(grid, foot, { message, hints: keys, theme })
    else state.prompt.draw(grid, foot, theme)
  }
}

function hintsFor({ isInRequests, page }: State): readonly Hint[] {
  if (!isInRequests) return hints
  return page === undefined ? requestHints : requestPageHints
}

function nameOfSelected({ selected }: State): string {
  return selected?.kind === 'project' ? selected.name : (selected?.view.name ?? '')
}

function describeLost({ daemon, daemonProblem }: State): string | undefined {
  if (typeof daemon === 'string') return undefined
  const seconds = Math.max(1, Math.round((Date.now() - daemon.lostMs) / 1000))
  const since = seconds < 60 ? `${seconds} s` : formatDuration((seconds - (seconds % 60)) * 1000)
  return daemonProblem === undefined
    ? `daemon lost, last seen ${since} ago · reconnecting`
    : `daemon lost, last seen ${since} ago · ${daemonProblem.split('\n')[0]}`
}

function drawEmpty(grid: Grid, area: Area, state: State, theme: Theme): void {
  for (const [index, { text, style }] of linesOfEmpty(state, theme).entries())
    grid.write({ column: 2, row: area.row + index }, fit(text, grid.columns - 4), style)
}

function linesOfEmpty({ daemon, daemonProblem, projects }: State, theme: Theme): readonly Span[] {
  if (daemon === 'new') return []
  if (daemon === 'connecting') return [{ text: 'Connecting…', style: theme.quiet }]
  const nothing = projects.length === 0 ? 'Nothing is running.' : `No service of ${projects.join(', ')} is known.`
  return [
    { text: nothing, style: theme.strong },
    { text: 'Run `locald up` in the folder of a project: it appears here.', style: theme.quiet },
    ...(daemon === 'found' || daemonProblem === undefined ? [] : [{ text: daemonProblem, style: theme.paints.red }]),
  ]
}

function drawTooSmall(grid: Grid): void {
  const lines = [`${grid.columns}x${grid.rows} is too small:`, `make it ${least.columns}x${least.rows}`, 'or press q']
  for (const [row, text] of lines.entries()) grid.write({ column: 0, row }, fit(text, grid.columns))
}
