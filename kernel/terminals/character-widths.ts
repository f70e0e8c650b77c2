import type { IUnicodeVersionProvider } from '@xterm/headless'

/** Beyond these planes no character is wide but ideographs, which `stringWidth` knows, too. */
const tableSize = 0x20000
/** How the emulator packs a width and whether a character joins the one before it. */
const [widthShift, widthBits, joins] = [1, 3, 1]

/** Returns the widths of characters by current Unicode, as programs compute them: emoji take two columns. */
export function characterWidths(stringWidth: (text: string) => number): IUnicodeVersionProvider {
  const known = new Int8Array(tableSize).fill(-1)
  const measure = (code: number): 0 | 1 | 2 => {
    const width = stringWidth(String.fromCodePoint(code))
    return width === 0 ? 0 : width === 1 ? 1 : 2
  }
  const wcwidth = (code: number): 0 | 1 | 2 => {
    const width = known[code]
    if (width === 0 || width === 1 || width === 2) return width
    const measured = measure(code)
    if (code < tableSize) known[code] = measured
    return measured
  }
  return {
    version: 'current',
    wcwidth,
    charProperties(code, preceding) {
      const width = wcwidth(code)
      const before = (preceding >> widthShift) & widthBits
      return width === 0 && before > 0 ? (before << widthShift) | joins : width << widthShift
    },
  }
}
