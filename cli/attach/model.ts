import type { IMarker } from '@xterm/headless'
import { Emulator } from '../../kernel/terminals/emulator.ts'
import type { Grid } from '../screen/grid.ts'
import { styleOf } from './cell-style.ts'

/** Lines above the screen that wait to be printed, at most. */
const scrollback = 1000

/**
 * What the service's terminal shows: an emulator takes its output. Programs' queries are answered by the daemon's, once
 * for all clients; this one answers none.
 */
export class Model {
  readonly #emulator: Emulator
  /** The first line of the screen when lines above it were last taken, and where it was then. */
  #taken: IMarker | undefined
  #takenAt = 0
  #hasBell = false

  private constructor(emulator: Emulator) {
    this.#emulator = emulator
    emulator.terminal.onBell(() => {
      this.#hasBell = true
    })
  }

  static async create([cols, rows]: readonly [number, number]): Promise<Model> {
    return new Model(await Emulator.create({ cols, rows, scrollback }))
  }

  /** Resolves when the output is shown. */
  write(bytes: Uint8Array): Promise<void> {
    return new Promise(resolve => this.#emulator.terminal.write(bytes, resolve))
  }

  /** Resolves when all output so far is shown. */
  settled(): Promise<void> {
    return this.write(new Uint8Array())
  }

  clear(): void {
    this.#emulator.clear()
    this.#taken = undefined
    this.#takenAt = 0
  }

  resize(cols: number, rows: number): void {
    this.#emulator.terminal.resize(cols, rows)
  }

  get isAlternate(): boolean {
    return this.#emulator.terminal.buffer.active.type === 'alternate'
  }

  /** The modes that decide what the terminal sends: private ones that are switched on. */
  get modes(): readonly number[] {
    const { modes } = this.#emulator.terminal
    const mouse = { none: undefined, x10: 9, vt200: 1000, drag: 1002, any: 1003 }[modes.mouseTrackingMode]
    return [
      modes.applicationCursorKeysMode ? 1 : undefined,
      modes.applicationKeypadMode ? 66 : undefined,
      mouse,
      mouse === undefined ? undefined : this.#emulator.mouseEncoding,
      modes.sendFocusMode ? 1004 : undefined,
      modes.bracketedPasteMode ? 2004 : undefined,
    ].filter(mode => mode !== undefined)
  }

  /** The parameter of DECSCUSR; 0: the terminal's own. */
  get cursorShape(): number {
    return this.#emulator.cursorShape
  }

  /** Returns whether the bell has rung since the last time. */
  takeBell(): boolean {
    const rang = this.#hasBell
    this.#hasBell = false
    return rang
  }

  /** Returns how many lines have left the ordinary screen at its top since the last time. */
  takeScrolled(): number {
    const { normal } = this.#emulator.terminal.buffer
    // A marker that is disposed of was on a line that more lines have followed than are kept.
    const from = this.#taken === undefined ? this.#takenAt : Math.max(0, this.#taken.line)
    this.skipScrolled()
    return Math.max(0, normal.baseY - from)
  }

  /** Leaves out the lines above the screen. */
  skipScrolled(): void {
    const { normal } = this.#emulator.terminal.buffer
    this.#taken?.dispose()
    // None on the alternate screen, behind which nothing moves.
    this.#taken = this.#emulator.terminal.registerMarker(-normal.cursorY)
    this.#takenAt = normal.baseY
  }

  /** Draws the screen, or what it showed `above` lines ago, with the cursor. */
  draw(grid: Grid, above = 0): void {
    const { buffer, cols, rows } = this.#emulator.terminal
    const { active } = buffer
    const top = active.baseY - above
    const columns = Math.min(cols, grid.columns)
    for (let row = 0; row < Math.min(rows + above, grid.rows); row++) {
      const line = active.getLine(top + row)
      for (let column = 0; line !== undefined && column < columns; column++) {
        const cell = line.getCell(column)
        const width = cell?.getWidth() ?? 0
        if (cell === undefined || width === 0) continue
        const text = cell.getChars()
        const style = styleOf(cell)
        if (text !== '' || style !== '') grid.write({ column, row }, text === '' ? ' ' : text, style, column + width)
      }
    }
    const { cursorX, cursorY } = active
    if (this.#emulator.isCursorHidden || above > 0 || cursorY >= grid.rows) return
    grid.cursor = { column: Math.min(cursorX, columns - 1), row: cursorY }
  }
}
