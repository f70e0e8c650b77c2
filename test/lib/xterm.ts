import headless, { type IBufferCell } from '@xterm/headless'
import stringWidth from 'string-width'

/** Joins marks to the character before them, as the tables of xterm.js do. */
const joins = 1
const widthShift = 1

/** A terminal whose screen can be read, and whose characters have the widths of current Unicode. */
export class Xterm {
  /** What was put on the clipboard, by OSC 52. */
  readonly copied: string[] = []
  readonly #terminal: InstanceType<typeof headless.Terminal>

  constructor(columns: number, rows: number) {
    this.#terminal = new headless.Terminal({ cols: columns, rows, allowProposedApi: true, scrollback: 1000 })
    const wcwidth = (code: number): 0 | 1 | 2 => {
      const width = stringWidth(String.fromCodePoint(code))
      return width === 0 ? 0 : width === 1 ? 1 : 2
    }
    this.#terminal.unicode.register({
      version: 'current',
      wcwidth,
      charProperties(code, preceding) {
        const width = wcwidth(code)
        const before = (preceding >> widthShift) & 3
        return width === 0 && before > 0 ? (before << widthShift) | joins : width << widthShift
      },
    })
    this.#terminal.unicode.activeVersion = 'current'
    this.#terminal.parser.registerOscHandler(52, data => {
      this.copied.push(Buffer.from(data.slice(data.indexOf(';') + 1), 'base64').toString('utf8'))
      return true
    })
  }

  get columns(): number {
    return this.#terminal.cols
  }

  get rows(): number {
    return this.#terminal.rows
  }

  /** Whether the alternate screen is shown. */
  get isAlternate(): boolean {
    return this.#terminal.buffer.active.type === 'alternate'
  }

  get cursor(): { readonly column: number; readonly row: number } {
    const { cursorX, cursorY } = this.#terminal.buffer.active
    return { column: cursorX, row: cursorY }
  }

  /** Resolves when the text is on the screen. */
  write(text: string | Uint8Array): Promise<void> {
    return new Promise(resolve => this.#terminal.write(text, resolve))
  }

  resize(columns: number, rows: number): void {
    this.#terminal.resize(columns, rows)
  }

  /** What is in a cell; empty: the second half of a wide character. */
  text(column: number, row: number): string {
    const cell = this.#cell(column, row)
    return cell === undefined ? '' : cell.getWidth() === 0 ? '' : cell.getChars() || ' '
  }

  /** The style of a cell, as the monitor writes styles. */
  style(column: number, row: number): string {
    const cell = this.#cell(column, row)
    return cell === undefined ? '' : styleOf(cell)
  }

  /** The lines of the screen, without trailing spaces. */
  get lines(): readonly string[] {
    const { active } = this.#terminal.buffer
    return Array.from(
      { length: this.rows },
      (_, row) =>
        active
          .getLine(active.viewportY + row)
          ?.translateToString(true)
          .trimEnd() ?? '',
    )
  }

  /** The lines above the screen, likewise. */
  get above(): readonly string[] {
    const { normal } = this.#terminal.buffer
    return Array.from(
      { length: normal.baseY },
      (_, row) => normal.getLine(row)?.translateToString(true).trimEnd() ?? '',
    )
  }

  #cell(column: number, row: number): IBufferCell | undefined {
    const { active } = this.#terminal.buffer
    return active.getLine(active.viewportY + row)?.getCell(column)
  }
}

function styleOf(cell: IBufferCell): string {
  const attributes: readonly (readonly [string, number])[] = [
    ['1', cell.isBold()],
    ['2', cell.isDim()],
    ['3', cell.isItalic()],
    ['4', cell.isUnderline()],
    ['7', cell.isInverse()],
    ['9', cell.isStrikethrough()],
  ]
  const on = attributes.flatMap(([code, isOn]) => (isOn === 0 ? [] : [code]))
  const ink = colourOf(30, cell.isFgDefault(), cell.isFgRGB(), cell.getFgColorMode(), cell.getFgColor())
  const ground = colourOf(40, cell.isBgDefault(), cell.isBgRGB(), cell.getBgColorMode(), cell.getBgColor())
  return [...on, ink, ground].filter(part => part !== '').join(';')
}

/** The mode of a colour of the sixteen. */
const sixteen = 0x1000000

function colourOf(base: number, isDefault: boolean, isRgb: boolean, mode: number, colour: number): string {
  if (isDefault) return ''
  if (isRgb) return `${base + 8};2;${colour >> 16};${(colour >> 8) & 255};${colour & 255}`
  if (mode !== sixteen) return `${base + 8};5;${colour}`
  return String(colour < 8 ? base + colour : base + 60 + colour - 8)
}
