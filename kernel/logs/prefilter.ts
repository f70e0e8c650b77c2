import { newline } from './lines.ts'
import type { RequiredTexts } from './required-text.ts'

/** UTF-16 units of a text that are searched for. */
const longest = 32
/** What a reader does not see of a line begins with one of these: escape and control characters, without tab. */
const unseen = '[\\x00-\\x08\\x0b-\\x1f\\x7f]'
/**
 * Bytes of characters that are equal to an ASCII letter where case does not matter (Unicode's CaseFolding.txt, and
 * SpecialCasing.txt for i with a dot): U+017F, U+212A, U+0130.
 */
const otherCases: Readonly<Record<string, string>> = { s: '\\xc5\\xbf', k: '\\xe2\\x84\\xaa', i: '\\xc4\\xb0' }
const space = 0x20
/** Of a line, `2026-11-24T03:44:10.123456Z ` */
const headLength = 28

/**
 * Finds in bytes of a log where lines may match, many times faster than lines can be decoded and matched. It misses
 * none, but finds too many: a line that contains the text, or its beginning before a control character, and one in
 * parts.
 */
export class Prefilter {
  readonly #regex: RegExp

  constructor(texts: RequiredTexts, ignoreCase: boolean) {
    this.#regex = new RegExp(texts.map(text => patternOf(text, ignoreCase)).join('|'), ignoreCase ? 'i' : '')
  }

  /** Returns whether a line of complete entries may match, or be only a part. */
  mayMatch(bytes: Buffer): boolean {
    return partialEntryIn(bytes) !== undefined || this.#regex.test(bytes.toString('latin1'))
  }

  /** Returns where the first entry begins that may match or is a part. */
  first(bytes: Buffer): number | undefined {
    const match = this.#regex.exec(bytes.toString('latin1'))?.index ?? bytes.length
    const first = Math.min(match, partialEntryIn(bytes) ?? bytes.length)
    return first === bytes.length ? undefined : startOfEntry(bytes, first)
  }
}

/** `ab` becomes `a(?:CONTROL|b)`: what is between two characters that are seen begins with a control character. */
function patternOf(text: string, ignoreCase: boolean): string {
  const characters = [...text].slice(0, longest).map(character => {
    const bytes = Buffer.from(character).toString('latin1').replace(/[^\w]/g, escapeOf)
    const other = ignoreCase ? otherCases[character.toLowerCase()] : undefined
    return other === undefined ? bytes : `(?:${bytes}|${other})`
  })
  return characters.reduceRight(
    (rest, character) => (rest === '' ? character : `${character}(?:${unseen}|${rest})`),
    '',
  )
}

function escapeOf(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`
}

/** Returns the place of an entry with the tag P, whose line is complete with a later one. */
function partialEntryIn(bytes: Buffer): number | undefined {
  for (let at = bytes.indexOf('P '); at >= 0; at = bytes.indexOf('P ', at + 1)) {
    if (bytes[at - 1] !== space) continue
    const start = startOfEntry(bytes, at)
    if (bytes.indexOf(space, start + headLength) === at - 1) return at
  }
  return undefined
}

function startOfEntry(bytes: Buffer, at: number): number {
  return bytes.lastIndexOf(newline, at) + 1
}
