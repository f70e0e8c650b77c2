import { shortHash } from '../system/paths.ts'
import { longestLine, type OutputLine } from './lines.ts'

/**
 * The last line of a log that a reader has. A log's lines have an order of their own, that in which they ended: the clock may have been
 * set back since. `time`: as in the files, many lines may have the same; `hash`: the `shortHash` of its text, 16 digits; `count`: how many lines of this stream,
 * time and text the reader has, which need not have those before them.
 */
export interface Anchor {
  readonly time: string
  readonly stream: string
  readonly hash: string
  readonly count: number
}

/** `TIME STREAM HASH COUNT KEY`: what a reader has of a service's log. */
export const anchorPattern = '^\\d{4}-\\d{2}-\\d{2}T[0-9:.]{15}Z [^ ]+ [0-9a-f]{16} [1-9][0-9]{0,8} .'

/** Reads a text that `anchorPattern` matches. */
export function parseAnchor(text: string): { readonly key: string; readonly anchor: Anchor } {
  const [time = '', stream = '', hash = '', count = '', ...key] = text.split(' ')
  return { key: key.join(' '), anchor: { time, stream, hash, count: Number(count) } }
}

/** Passes over the lines up to an anchor, from a place at or before its first line. */
export class AnchorSkip {
  readonly #anchor: Anchor
  #left: number
  #isMet = false
  /** One line of the stream may have begun before the place. */
  #hasBegunOne = false
  #isPast = false

  constructor(anchor: Anchor) {
    this.#anchor = anchor
    this.#left = anchor.count
  }

  /** Returns those of the next lines that the reader does not have. */
  rest<T extends OutputLine>(lines: readonly T[]): readonly T[] {
    if (this.#isPast) return lines
    const first = lines.findIndex(line => this.#isAfter(line))
    this.#isPast = first >= 0
    return first < 0 ? [] : lines.slice(first)
  }

  #isAfter({ time, stream, text }: OutputLine): boolean {
    if (this.#left === 0) return true
    if (stream !== this.#anchor.stream) return false
    const isLong = text.length >= longestLine
    if (time === this.#anchor.time) {
      this.#isMet = true
      const isIt = shortHash(text, 16) === this.#anchor.hash
      if (isIt) this.#left--
      return isLong && !isIt
    }
    // A line that is given in pieces is cut in other places now: rather a piece twice than none.
    if (this.#isMet || this.#hasBegunOne || isLong) return true
    this.#hasBegunOne = true
    return false
  }
}
