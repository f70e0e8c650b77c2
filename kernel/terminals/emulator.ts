import type { Terminal } from '@xterm/headless'
import { characterWidths } from './character-widths.ts'

/** How an emulator is made. */
export interface EmulatorOptions {
  readonly cols: number
  readonly rows: number
  /** Lines kept above the screen. */
  readonly scrollback: number
}

/**
 * Modes that the emulator does not report, as parameters: how the mouse is encoded (xterm's ctlseqs, "Mouse Tracking").
 */
const mouseEncodings: ReadonlySet<number> = new Set([1005, 1006, 1015, 1016])
/** DECTCEM: the cursor is shown. */
const cursorMode = 25

/** An emulator, and the state of the terminal that it does not report itself. */
export class Emulator {
  readonly terminal: Terminal
  isCursorHidden = false
  /** The parameter of the mouse's encoding; undefined: the ordinary one. */
  mouseEncoding: number | undefined
  /** The parameter of DECSCUSR; 0: the terminal's own. */
  cursorShape = 0

  private constructor(terminal: Terminal) {
    this.terminal = terminal
    const { parser } = terminal
    const apply = (parameters: readonly (number | number[])[], isOn: boolean) => {
      for (const parameter of parameters.flat()) this.#setMode(parameter, isOn)
      return false
    }
    parser.registerCsiHandler({ prefix: '?', final: 'h' }, parameters => apply(parameters, true))
    parser.registerCsiHandler({ prefix: '?', final: 'l' }, parameters => apply(parameters, false))
    parser.registerCsiHandler({ intermediates: ' ', final: 'q' }, ([shape = 0]) => {
      this.cursorShape = typeof shape === 'number' && shape <= 6 ? shape : 0
      return false
    })
    parser.registerCsiHandler({ intermediates: '!', final: 'p' }, () => this.#reset())
    parser.registerEscHandler({ final: 'c' }, () => this.#reset())
  }

  /** Loads the emulator at its first use. */
  static async create({ cols, rows, scrollback }: EmulatorOptions): Promise<Emulator> {
    const [{ default: headless }, { default: stringWidth }] = await Promise.all([
      import('@xterm/headless'),
      import('string-width'),
    ])
    const terminal = new headless.Terminal({ cols, rows, scrollback, allowProposedApi: true })
    const widths = characterWidths(stringWidth)
    terminal.unicode.register(widths)
    terminal.unicode.activeVersion = widths.version
    return new Emulator(terminal)
  }

  /** Returns the sequences that bring an ordinary terminal to this state. */
  get modeSequences(): string {
    const encoding = this.mouseEncoding === undefined ? '' : `\x1b[?${this.mouseEncoding}h`
    const shape = this.cursorShape === 0 ? '' : `\x1b[${this.cursorShape} q`
    return `${encoding}${shape}${this.isCursorHidden ? '\x1b[?25l' : ''}`
  }

  /** Empties it, with all modes as at first. */
  clear(): void {
    this.terminal.reset()
    this.#reset()
  }

  #setMode(parameter: number, isOn: boolean): void {
    if (parameter === cursorMode) this.isCursorHidden = !isOn
    if (!mouseEncodings.has(parameter)) return
    if (isOn) this.mouseEncoding = parameter
    else if (this.mouseEncoding === parameter) this.mouseEncoding = undefined
  }

  #reset(): boolean {
    this.isCursorHidden = false
    this.mouseEncoding = undefined
    this.cursorShape = 0
    return false
  }
}
