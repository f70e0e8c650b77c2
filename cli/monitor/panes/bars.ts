import type { ServiceView } from '../../../kernel/events.ts'
import { stateOf } from '../../output/service-state.ts'
import { columnsOf, shorten } from '../../screen/glyphs.ts'
import type { Area, Grid } from '../../screen/grid.ts'
import type { Span } from '../../screen/spans.ts'
import { shapeOf, shapeStyle, type Theme } from './theme.ts'

/** What the first line shows. */
export interface HeadContent {
  /** The only project, or what is shown of several. */
  readonly title: string
  readonly views: readonly ServiceView[]
  /** Set while there is no daemon: what is known about that. */
  readonly lost: string | undefined
  readonly theme: Theme
}

/** A key and what it does, for the last line. */
export interface Hint {
  readonly key: string
  readonly about: string
}

/** What the last line shows: a message, or the keys. */
export interface FootContent {
  readonly message: { readonly text: string; readonly isError: boolean } | undefined
  readonly hints: readonly Hint[]
  readonly theme: Theme
}

/** Columns for `locald` and the project, beside which states are words. */
const leastTitle = 16

/** States in the order in which they are counted. */
const states = ['ready', 'unhealthy', 'failed', 'starting', 'restarting', 'waiting', 'stopping', 'exited', 'stopped']

/** Draws the first line: the project, and how many services are in each state. */
export function drawHead(grid: Grid, area: Area, { title, views, lost, theme }: HeadContent): void {
  const room = area.columns - leastTitle
  const counts = countStates(views, theme)
  const fitting = widthOfAll(counts) > room ? counts.map(withoutWord) : counts
  const right =
    lost === undefined ? fitting : [{ text: shorten(`▲ ${lost}`, area.columns - 2), style: theme.paints.red }]
  const width = widthOfAll(right)
  const at = Math.max(area.columns - width - 1, 0)
  let column = at
  for (const { text, style } of right) column = grid.write({ ...area, column }, text, style)
  if (at < 8) return
  const next = grid.write({ ...area, column: 1 }, 'locald', `${theme.strong};${theme.accent}`, at)
  const left = at - next - 2
  if (left > 3) grid.write({ ...area, column: next + 2 }, shorten(title, left), '', at)
}

function widthOfAll(spans: readonly Span[]): number {
  return spans.reduce((sum, { text }) => sum + columnsOf(text), 0)
}

/** Leaves the number of `3 ready`: the shape says the rest. */
function withoutWord({ text, style }: Span): Span {
  return { text: text.replace(/^(\d+) \w+$/, '$1'), style }
}

function countStates(views: readonly ServiceView[], theme: Theme): readonly Span[] {
  return states.flatMap(state => {
    const count = views.filter(view => stateOf(view) === state).length
    if (count === 0) return []
    const isBad = state === 'failed' || state === 'unhealthy'
    return [
      { text: `  ${shapeOf(state)} `, style: shapeStyle(state, theme) },
      { text: `${count} ${state}`, style: isBad ? theme.paints.red : theme.quiet },
    ]
  })
}

/** Draws the last line; the last of the keys, which shows the others, is always there. */
export function drawFoot(grid: Grid, area: Area, { message, hints, theme }: FootContent): void {
  if (message !== undefined) {
    const text = shorten(message.text, area.columns - 2)
    grid.write({ ...area, column: 1 }, text, message.isError ? theme.paints.red : theme.accent)
    return
  }
  const last = hints.at(-1)
  const end = area.columns - 1 - (last === undefined ? 0 : widthOf(last))
  let column = 1
  for (const hint of hints.slice(0, -1)) {
    if (column + widthOf(hint) + 2 > end) break
    column = drawHint(grid, { ...area, column }, hint, theme) + 2
  }
  if (last !== undefined) drawHint(grid, { ...area, column: end }, last, theme)
}

function widthOf({ key, about }: Hint): number {
  return columnsOf(key) + 1 + columnsOf(about)
}

function drawHint(grid: Grid, area: Area, { key, about }: Hint, { strong, quiet }: Theme): number {
  const column = grid.write(area, key, strong)
  return grid.write({ ...area, column: column + 1 }, about, quiet)
}
