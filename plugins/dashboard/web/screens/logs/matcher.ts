/** What to look for. */
export interface Search {
  readonly text: string
  readonly isRegex: boolean
  readonly isCase: boolean
}

/** A part of a text: from, to. */
export type Range = readonly [number, number]

/** Finds a search in texts. */
export interface Matcher {
  test(text: string): boolean
  ranges(text: string): readonly Range[]
}

/** Most hits that are marked in one line. */
const mostRanges = 100
/** Longer texts are searched to here: a slow expression is slower on them. */
const searched = 10_000

/** Makes a matcher; the text of the error where the expression is invalid; undefined where there is nothing to find. */
export function matcherOf({ text, isRegex, isCase }: Search): Matcher | string | undefined {
  if (text === '') return undefined
  try {
    const source = isRegex ? text : text.replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&')
    return new RegexMatcher(source, isCase ? '' : 'i')
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return message.replace(/^Invalid regular expression: /, '')
  }
}

class RegexMatcher implements Matcher {
  readonly #one: RegExp
  readonly #all: RegExp

  constructor(source: string, flags: string) {
    this.#one = new RegExp(source, flags)
    this.#all = new RegExp(source, `g${flags}`)
  }

  test(text: string): boolean {
    return this.#one.test(text.length > searched ? text.slice(0, searched) : text)
  }

  ranges(text: string): readonly Range[] {
    const found: Range[] = []
    for (const match of text.matchAll(this.#all)) {
      if (match[0] !== '') found.push([match.index, match.index + match[0].length])
      if (found.length >= mostRanges) break
    }
    return found
  }
}
