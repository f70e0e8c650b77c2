import type { IBufferCell } from '@xterm/headless'

/** The mode of a colour of the sixteen, in the emulator's cells. */
const sixteen = 0x1000000

/** Returns the style of a cell as parameters of Select Graphic Rendition. */
export function styleOf(cell: IBufferCell): string {
  if (cell.isAttributeDefault()) return ''
  const attributes: readonly (readonly [string, number])[] = [
    ['1', cell.isBold()],
    ['2', cell.isDim()],
    ['3', cell.isItalic()],
    ['4', cell.isUnderline()],
    ['5', cell.isBlink()],
    ['7', cell.isInverse()],
    ['8', cell.isInvisible()],
    ['9', cell.isStrikethrough()],
  ]
  const on = attributes.flatMap(([code, isOn]) => (isOn === 0 ? [] : [code]))
  const ink = cell.isFgDefault() ? '' : colourOf(30, cell.isFgRGB(), cell.getFgColorMode(), cell.getFgColor())
  const ground = cell.isBgDefault() ? '' : colourOf(40, cell.isBgRGB(), cell.getBgColorMode(), cell.getBgColor())
  return [...on, ink, ground].filter(part => part !== '').join(';')
}

function colourOf(base: number, isRgb: boolean, mode: number, colour: number): string {
  if (isRgb) return `${base + 8};2;${colour >> 16};${(colour >> 8) & 255};${colour & 255}`
  if (mode !== sixteen) return `${base + 8};5;${colour}`
  return String(colour < 8 ? base + colour : base + 60 + colour - 8)
}
