import { shortHash } from '../system/paths.ts'
import { longestLine, type OutputLine } from './lines.ts'

/**
 * The last line of a log that a reader has. Lines are ordered by completion, not by time: the clock may have been set
 * back. `time` is as in the files, where many lines may share it; `hash` is the `shortHash` of the text, 16 digits;
 * `count` is how many lines of this stream, time and text the reader has, possibly without earlier ones.
 */
export interface Anchor {
  readonly time: string
  readonly stream: string
  readonly hash: string
  readonly count: number
}

/** `TIME STREAM HASH COUNT KEY`: a reader's position in a service's log. */
export const anchorPattern = '^\\d{4}-\\d{2}-\\d{2}T[0-9:.]{15}Z [^ ]+ [0-9a-f]{16} [1-9][0-9]{0,8} .'

/** Parses a text that `anchorPattern` matches. */
export function parseAnchor(text: string): { readonly key: string; readonly anchor: Anchor } {
  const [time = '', stream = '', hash = '', count = '', ...key] = text.split(' ')
  return { key: key.join(' '), anchor: { time, stream, hash, count: Number(count) } }
}

/** Skips the lines up to an anchor, from a place at or before its first line. */
export class AnchorSkip {
  readonly #anchor: Anchor
  #remaining: number
  #isMet = false
  /** One line of the stream may have started before the place. */
  #hasBegunOne = false
  #isPast = false

  constructor(anchor: Anchor) {
    this.#anchor = anchor
    this.#remaining = anchor.count
  }

  /** Returns the lines that the reader does not have. */
  rest<T extends OutputLine>(lines: readonly T[]): readonly T[] {
    if (this.#isPast) return lines
    const first = lines.findIndex(line => this.#isAfter(line))
    this.#isPast = first >= 0
    return first < 0 ? [] : lines.slice(first)
  }

  #isAfter({ time, stream, text }: OutputLine): boolean {
    if (this.#remaining === 0) return true
    if (stream !== this.#anchor.stream) return false
    const isLong = text.length >= longestLine
    if (time === this.#anchor.time) {
      this.#isMet = true
      const isIt = shortHash(text, 16) === this.#anchor.hash
      if (isIt) this.#remaining--
      return isLong && !isIt
    }
    // A line that is returned in pieces is cut in other places now: a repeated piece is better than a lost one.
    if (this.#isMet || this.#hasBegunOne || isLong) return true
    this.#hasBegunOne = true
    return false
  }
}
