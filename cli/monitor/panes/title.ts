import { columnsOf, shorten } from '../../screen/glyphs.ts'
import type { Area, Grid } from '../../screen/grid.ts'
import type { Theme } from './theme.ts'

/** The line above a pane. */
export interface TitleContent {
  readonly left: string
  readonly right: string
  readonly isFocused: boolean
  /** Whether there is something new below what is shown. */
  readonly isBehind: boolean
  readonly theme: Theme
}

/** Draws the line above a pane: its name on the left, where it is on the right. */
export function drawTitle(grid: Grid, area: Area, { left, right, isFocused, isBehind, theme }: TitleContent): void {
  const end = area.column + area.columns
  const name = ` ${shorten(left, Math.max(4, area.columns - columnsOf(right) - 8))} `
  grid.write(area, '─'.repeat(area.columns), theme.quiet, end)
  const style = isFocused ? `${theme.strong};${theme.accent}` : theme.strong
  grid.write({ ...area, column: area.column + 1 }, name, style, end)
  const at = end - columnsOf(right) - 3
  if (at > area.column) grid.write({ ...area, column: at }, ` ${right} `, isBehind ? theme.accent : theme.quiet, end)
}
