import { eastAsianWidth } from 'get-east-asian-width'

/** What a terminal draws in one or two columns: a character with the marks that are combined with it. */
export interface Glyph {
  readonly text: string
  readonly width: 1 | 2
}

/** Marks on one character; text with more of them is drawn over its neighbours. */
const mostMarks = 4
const mark = /^[\p{Mn}\p{Me}]$/u
/** Vowels and final consonants of Hangul that do not form a syllable, which terminals draw over their neighbour. */
const loneJamo = /^[\u1160-\u11ff\ud7b0-\ud7fb]$/
/** Skin tones, which only some terminals join to the emoji before them. */
const tone = /^[\u{1f3fb}-\u{1f3ff}]$/u
/** Characters that take no column: joiners, selectors, marks and controls. */
const invisible = /^[\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}\p{Mn}\p{Me}\p{Cs}]$/u
const printable = /^[\x20-\x7e]*$/

const widths = new Map<string, number>()

/** Whether each character of a text takes one column. */
export function isPlain(text: string): boolean {
  return printable.test(text)
}

/**
 * Splits text into what is drawn in a column or two. Terminals disagree about the width of sequences (families, skin
 * tones, emoji presentation): joiners and selectors are left out, so that each part has the width that all agree on.
 */
export function splitGlyphs(text: string): readonly Glyph[] {
  const glyphs: { text: string; width: 1 | 2 }[] = []
  let marks = 0
  for (const character of text.normalize('NFC')) {
    const last = glyphs.at(-1)
    if (mark.test(character)) {
      const isSelector = character >= '\ufe00' && character <= '\ufe0f'
      if (last !== undefined && !isSelector && widthOf(character) === 0 && ++marks <= mostMarks) last.text += character
      continue
    }
    const width = loneJamo.test(character) || tone.test(character) ? 0 : widthOf(character)
    if (width === 0) continue
    marks = 0
    glyphs.push({ text: character, width: width === 2 ? 2 : 1 })
  }
  return glyphs
}

/** Returns how many columns a text takes. */
export function columnsOf(text: string): number {
  return isPlain(text) ? text.length : splitGlyphs(text).reduce((sum, { width }) => sum + width, 0)
}

/** Shortens a text to so many columns, with an ellipsis where something was cut; `end` keeps its end. */
export function shorten(text: string, columns: number, keeps: 'start' | 'end' = 'start'): string {
  if (columnsOf(text) <= columns) return text
  if (columns <= 0) return ''
  const glyphs = [...splitGlyphs(text)]
  if (keeps === 'end') glyphs.reverse()
  let left = columns - 1
  const kept: string[] = []
  for (const glyph of glyphs) {
    if (glyph.width > left) break
    left -= glyph.width
    kept.push(glyph.text)
  }
  return keeps === 'end' ? `…${kept.reverse().join('')}` : `${kept.join('')}…`
}

/** Pads a text with spaces to so many columns, or shortens it. */
export function fit(text: string, columns: number, align: 'left' | 'right' = 'left'): string {
  const short = shorten(text, columns)
  const space = ' '.repeat(Math.max(0, columns - columnsOf(short)))
  return align === 'left' ? short + space : space + short
}

/**
 * Returns the columns of one character, the same as string-width does: that one makes an `Intl.Segmenter` when it is
 * loaded, which takes 8 ms of each command.
 */
function widthOf(character: string): number {
  const known = widths.get(character)
  if (known !== undefined) return known
  const width = invisible.test(character) ? 0 : eastAsianWidth(character.codePointAt(0) ?? 0)
  widths.set(character, width)
  return width
}
