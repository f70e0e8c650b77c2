import { styleOf } from '../../output/service-state.ts'
import type { Style } from '../../output/terminal.ts'

/** The styles of the screen, as parameters of Select Graphic Rendition. */
export interface Theme {
  readonly accent: string
  readonly strong: string
  /** What is seldom looked at: headings, times, keys' meanings. */
  readonly quiet: string
  /** What was searched for: in the current line, in others. */
  readonly hits: { readonly current: string; readonly other: string }
  /** The colours that text of commands is painted with. */
  readonly paints: Readonly<Record<Style, string>>
}

const coloured: Theme = {
  accent: '36',
  strong: '1',
  quiet: '90',
  hits: { current: '30;46', other: '30;43' },
  paints: { red: '31', green: '32', yellow: '33', blue: '34', magenta: '35', cyan: '36', gray: '90', bold: '1' },
}

/** Bold, faint and inverse only: NO_COLOR. */
const plain: Theme = {
  accent: '1',
  strong: '1',
  quiet: '2',
  hits: { current: '1;7', other: '7' },
  paints: { red: '1', green: '', yellow: '', blue: '', magenta: '', cyan: '', gray: '2', bold: '1' },
}

/** Returns the styles of a terminal with or without colours. */
export function themeFor(hasColour: boolean): Theme {
  return hasColour ? coloured : plain
}

const shapes: Readonly<Record<string, string>> = {
  ready: '●',
  waiting: '◌',
  starting: '◔',
  restarting: '◔',
  stopping: '◔',
  stopped: '○',
  exited: '■',
  failed: '▲',
  unhealthy: '▲',
}

/** Returns the shape of a state, which says without colour what the state is. */
export function shapeOf(state: string): string {
  return shapes[state] ?? '○'
}

/** Returns the style of a state's shape. */
export function shapeStyle(state: string, { paints }: Theme): string {
  return paints[styleOf(state)]
}

/** Returns the style of a state's word: only what is wrong, or not done yet, has a colour. */
export function wordStyle(state: string, theme: Theme): string {
  return state === 'ready' ? '' : shapeStyle(state, theme)
}

/** Returns a state as a word of a table. */
export function wordOf(state: string): string {
  return state.slice(0, 1).toUpperCase() + state.slice(1)
}
