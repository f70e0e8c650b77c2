import { columnsOf } from './grid/glyphs.ts'
import type { Area, Grid } from './grid/grid.ts'
import type { Theme } from './panes/theme.ts'
import type { Key } from './terminal/keys.ts'

/** What a key did to the text that is typed. */
export type PromptResult = 'typed' | 'done' | 'cancelled'

/** The line in which a search is typed. */
export class Prompt {
  readonly label: string
  #text = ''

  constructor(label: string) {
    this.label = label
  }

  get text(): string {
    return this.#text
  }

  press(key: Key): PromptResult {
    if ('pasted' in key) this.#text += key.pasted.replace(/[\x00-\x1f\x7f]+/g, ' ')
    else if (key.name === 'enter') return 'done'
    else if (key.name === 'escape' || key.name === 'ctrl-c') return 'cancelled'
    else if (key.name === 'backspace') {
      if (this.#text === '') return 'cancelled'
      this.#text = [...this.#text].slice(0, -1).join('')
    } else if (key.name === 'ctrl-u') this.#text = ''
    else if (key.name === 'ctrl-w') this.#text = this.#text.replace(/\S*\s*$/, '')
    else if ([...key.name].length === 1) this.#text += key.name
    return 'typed'
  }

  /** Draws the text, its end where it is long, and the cursor after it. */
  draw(grid: Grid, area: Area, theme: Theme): void {
    let column = grid.write({ ...area, column: 1 }, this.label, `${theme.strong};${theme.accent}`)
    const room = area.columns - column - 2
    let shown = this.#text
    while (columnsOf(shown) > room) shown = [...shown].slice(1).join('')
    column = grid.write({ ...area, column: column + 1 }, shown)
    grid.cursor = { column, row: area.row }
  }
}
