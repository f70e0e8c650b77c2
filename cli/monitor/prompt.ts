import { shorten } from '../screen/glyphs.ts'
import type { Area, Grid } from '../screen/grid.ts'
import type { Key } from '../screen/keys.ts'
import type { Theme } from './panes/theme.ts'

/** UTF-16 units. */
const longest = 1000

/** What a key did to the text that is typed. */
type PromptResult = 'typed' | 'done' | 'cancelled'

/** What is called with the text. */
export interface PromptEvents {
  /** It is another one; empty when it was cancelled. */
  changed(text: string): void
  done?(): void
}

/** The line in which a text is typed that is searched for. */
export class Prompt {
  readonly label: string
  readonly #events: PromptEvents
  #text = ''

  constructor(label: string, events: PromptEvents) {
    this.label = label
    this.#events = events
  }

  /** Returns whether the text is complete, or was cancelled. */
  press(key: Key): boolean {
    const result = this.#apply(key)
    if (result === 'cancelled') this.#text = ''
    if (result === 'done') this.#events.done?.()
    else this.#events.changed(this.#text)
    return result !== 'typed'
  }

  #apply(key: Key): PromptResult {
    if ('pasted' in key) this.#text += key.pasted.replace(/[\x00-\x1f\x7f]+/g, ' ')
    else if (key.name === 'enter') return 'done'
    else if (key.name === 'escape' || key.name === 'ctrl-c') return 'cancelled'
    else if (key.name === 'backspace') {
      if (this.#text === '') return 'cancelled'
      this.#text = [...this.#text].slice(0, -1).join('')
    } else if (key.name === 'ctrl-u') this.#text = ''
    else if (key.name === 'ctrl-w') this.#text = this.#text.replace(/\S*\s*$/, '')
    else if ([...key.name].length === 1) this.#text += key.name
    this.#text = this.#text.slice(0, longest)
    return 'typed'
  }

  /** Draws the text, its end where it is long, and the cursor after it. */
  draw(grid: Grid, area: Area, theme: Theme): void {
    let column = grid.write({ ...area, column: 1 }, this.label, `${theme.strong};${theme.accent}`)
    const room = area.columns - column - 2
    column = grid.write({ ...area, column: column + 1 }, shorten(this.#text, room, 'end'))
    grid.cursor = { column, row: area.row }
  }
}
