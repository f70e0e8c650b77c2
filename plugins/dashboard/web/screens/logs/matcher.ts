import { mostRanges, type Range } from './range.ts'
import { RegexFinder } from './regex-finder.ts'

/** What to look for. */
export interface Search {
  readonly text: string
  readonly isRegex: boolean
  readonly isCase: boolean
}

/** Finds a search in texts. An expression of the user's is a `RegexFinder`: it may take very long. */
export type Matcher = TextMatcher | RegexFinder

/** Makes a matcher; the text of the error where the expression is invalid; undefined where there is nothing to find. */
export function matcherOf({ text, isRegex, isCase }: Search): Matcher | string | undefined {
  if (text === '') return undefined
  const flags = isCase ? '' : 'i'
  if (!isRegex) return new TextMatcher(text, flags)
  try {
    new RegExp(text, flags)
    return new RegexFinder(text, flags)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return message.replace(/^Invalid regular expression: /, '')
  }
}

/** Finds a text as it is. */
export class TextMatcher {
  readonly #one: RegExp
  readonly #all: RegExp

  constructor(text: string, flags: string) {
    const source = text.replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&')
    this.#one = new RegExp(source, flags)
    this.#all = new RegExp(source, `g${flags}`)
  }

  test(text: string): boolean {
    return this.#one.test(text)
  }

  ranges(text: string): readonly Range[] {
    const found: Range[] = []
    for (const match of text.matchAll(this.#all)) {
      found.push([match.index, match.index + match[0].length])
      if (found.length >= mostRanges) break
    }
    return found
  }
}
