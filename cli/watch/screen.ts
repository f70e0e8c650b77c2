import type { Client } from '../daemon/client.ts'
import { statusTable } from '../output/status-table.ts'
import { hasColour, print } from '../output/terminal.ts'
import { formatUptime, nextChange } from '../output/uptime.ts'
import { Frames } from '../screen/frames.ts'
import { fullScreen } from '../screen/full-screen.ts'
import { Grid } from '../screen/grid.ts'
import type { Key } from '../screen/keys.ts'
import { parseSpans } from '../screen/spans.ts'
import type { Terminal } from '../screen/terminal.ts'
import type { StatusFeed } from './status-feed.ts'

const quitKeys: ReadonlySet<string> = new Set(['q', 'ctrl-c', 'ctrl-d'])

/** By so many lines a key scrolls; pages are what the screen has. */
const steps: Readonly<Record<string, number>> = { up: -1, k: -1, down: 1, j: 1 }

/** The table of `locald status` on a terminal, of which what changes is redrawn. */
export class WatchScreen {
  readonly #feed: StatusFeed
  readonly #fullNames: boolean
  readonly #terminal: Terminal
  readonly #frames: Frames
  #clock: NodeJS.Timeout | undefined
  /** The first line of the table that is shown below its heading. */
  #top = 0
  #quit: () => void = () => {}

  constructor(feed: StatusFeed, { fullNames }: { readonly fullNames: boolean }) {
    this.#feed = feed
    this.#fullNames = fullNames
    this.#terminal = fullScreen({ pressed: key => this.#press(key), redraw: () => this.#frames.redraw() })
    this.#frames = new Frames({ draw: () => this.#draw(), write: text => this.#terminal.write(text) })
  }

  /** Shows the table until it is quit; the last one stays in the terminal. */
  async run(daemon: Client | undefined): Promise<void> {
    const quit = new Promise<void>(resolve => {
      this.#quit = resolve
    })
    this.#terminal.open()
    try {
      this.#frames.redraw()
      const redraw = () => this.#frames.request()
      await Promise.race([quit, this.#feed.run(daemon, { changed: redraw, used: redraw })])
    } finally {
      clearTimeout(this.#clock)
      this.#feed.close()
      this.#frames.close()
      this.#terminal.close()
    }
    if (this.#feed.views.length > 0) print(this.#table())
  }

  #press(key: Key): void {
    if (!('name' in key)) return
    if (quitKeys.has(key.name)) this.#quit()
    else if (key.name === 'ctrl-z') this.#terminal.suspend()
    else this.#scroll(key.name)
  }

  #scroll(key: string): void {
    const page = Math.max(1, this.#terminal.rows - fixedRows)
    const step = key === 'pageUp' ? -page : key === 'pageDown' || key === ' ' ? page : steps[key]
    if (step === undefined) return
    this.#top += step
    this.#frames.request()
  }

  #table(): string {
    return statusTable(this.#feed.views, { fullNames: this.#fullNames, formatUptime })
  }

  #draw(): Grid {
    const { columns, rows } = this.#terminal
    const grid = new Grid(columns, rows)
    const [heading = '', ...lines] = this.#feed.views.length > 0 ? this.#table().split('\n') : [this.#explainEmpty()]
    const space = Math.max(0, rows - fixedRows)
    this.#top = Math.max(0, Math.min(this.#top, lines.length - space))
    const shown = [heading, ...lines.slice(this.#top, this.#top + space)]
    for (const [row, line] of shown.entries()) writeLine(grid, row, line)
    if (rows > shown.length) grid.write({ column: 0, row: rows - 1 }, this.#footer(lines.length, space), this.#quiet)
    this.#scheduleClock()
    return grid
  }

  get #quiet(): string {
    return hasColour(process.stdout) ? '90' : '2'
  }

  #explainEmpty(): string {
    if (!this.#feed.isConnected) return 'Nothing is running. Run `locald up` in the folder of a project.'
    return this.#feed.isLoaded ? 'No services to show. Run `locald up` to start a project.' : ''
  }

  #footer(count: number, space: number): string {
    const { isConnected, leftCount, problem } = this.#feed
    const parts = [
      problem ?? (isConnected || !this.#feed.isLoaded ? undefined : 'The daemon is not running'),
      count > space ? `lines ${this.#top + 1}-${Math.min(count, this.#top + space)} of ${count}` : undefined,
      leftCount > 0 ? `${leftCount} not shown` : undefined,
      'q quits',
    ]
    return parts.filter(part => part !== undefined).join(' · ')
  }

  /** Draws again when a time on the screen has changed. */
  #scheduleClock(): void {
    clearTimeout(this.#clock)
    const waitMs = nextChange(this.#feed.views, Date.now())
    if (waitMs !== undefined) this.#clock = setTimeout(() => this.#frames.request(), waitMs)
  }
}

/** The heading and the footer. */
const fixedRows = 2

function writeLine(grid: Grid, row: number, line: string): void {
  let column = 0
  for (const { text, style } of parseSpans(line)) column = grid.write({ column, row }, text, style)
}
