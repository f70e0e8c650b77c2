/** What a regular expression needs: a line that matches it contains one of these texts. */
export type RequiredTexts = readonly string[]

/** Groups within groups are examined to this depth. */
const deepest = 20
const quantifier = /\{(\d+)(?:,\d*)?\}/y
/** The beginning of a group that must match: not a lookaround, nor one with flags of its own. */
const groupHead = /\((?:\?:|\?<[\p{L}\p{N}$_]+>|(?!\?))/uy
/** Characters that are no text of a line, or that have no bytes of their own. */
const unusable = /[\x00-\x08\x0a-\x1f\x7f\ufffd\ud800-\udfff]/

/**
 * Returns the longest texts of which every match of a JavaScript regular expression contains one; undefined if it is
 * too complex, or matches without any. `ignoreCase`: only ASCII, as other letters have more than two forms.
 */
export function requiredTexts(source: string, ignoreCase: boolean): RequiredTexts | undefined {
  const reader = new Reader(source, ignoreCase)
  const texts = reader.alternatives(0)
  return reader.isAtEnd ? texts : undefined
}

/** Returns the longest part of a text that can be searched for; undefined without any. */
export function searchablePart(text: string, ignoreCase: boolean): RequiredTexts | undefined {
  const parts = new Parts()
  for (const character of text) parts.add(character, ignoreCase)
  return parts.best
}

/** The parts of a sequence, of which the best is the one whose shortest text is the longest. */
class Parts {
  #run: string[] = []
  #best: RequiredTexts | undefined

  /** Adds a character to the present text. */
  add(character: string, ignoreCase: boolean): void {
    if (unusable.test(character) || (ignoreCase && character > '\x7f')) this.interrupt()
    else this.#run.push(character)
  }

  /** Removes the last character, which may be absent. */
  makeLastOptional(): void {
    this.#run.pop()
    this.interrupt()
  }

  /** Anything may follow. */
  interrupt(): void {
    if (this.#run.length > 0) this.offer([this.#run.join('')])
    this.#run = []
  }

  /** Adds texts one of which is there. */
  offer(texts: RequiredTexts): void {
    if (this.#best === undefined || shortest(texts) > shortest(this.#best)) this.#best = texts
  }

  get best(): RequiredTexts | undefined {
    this.interrupt()
    return this.#best
  }
}

function shortest(texts: RequiredTexts): number {
  return Math.min(...texts.map(text => text.length))
}

/** Reads a valid expression (ECMA-262 22.2.1) as far as it is understood. */
class Reader {
  readonly #source: string
  readonly #ignoreCase: boolean
  #at = 0

  constructor(source: string, ignoreCase: boolean) {
    this.#source = source
    this.#ignoreCase = ignoreCase
  }

  get isAtEnd(): boolean {
    return this.#at === this.#source.length
  }

  /** Reads up to the end of a group. */
  alternatives(depth: number): RequiredTexts | undefined {
    const all: (RequiredTexts | undefined)[] = []
    do all.push(this.#sequence(depth))
    while (this.#skip('|'))
    return all.includes(undefined) ? undefined : all.flatMap(texts => texts ?? [])
  }

  #sequence(depth: number): RequiredTexts | undefined {
    const parts = new Parts()
    for (;;) {
      const character = this.#peek()
      if (character === '' || character === '|' || character === ')') return parts.best
      if (character === '(') {
        if (!this.#group(parts, depth)) return undefined
      } else if (character === '[') {
        this.#skipClass()
        parts.interrupt()
      } else if (character === '\\') {
        if (!this.#escape(parts)) return undefined
      } else {
        this.#at += character.length
        if (character === '*' || character === '?') parts.makeLastOptional()
        else if (character === '{') this.#braces(parts)
        else if ('+.^$'.includes(character)) parts.interrupt()
        else parts.add(character, this.#ignoreCase)
      }
    }
  }

  /** Reads a group; returns false if it is not understood. */
  #group(parts: Parts, depth: number): boolean {
    parts.interrupt()
    groupHead.lastIndex = this.#at
    const [head] = groupHead.exec(this.#source) ?? []
    if (head === undefined || depth > deepest) return false
    this.#at += head.length
    const texts = this.alternatives(depth + 1)
    if (!this.#skip(')')) return false
    const next = this.#peek()
    if (texts !== undefined && next !== '*' && next !== '?' && next !== '{') parts.offer(texts)
    return true
  }

  #skipClass(): void {
    do this.#at += this.#peek() === '\\' ? 2 : 1
    while (this.#peek() !== ']' && !this.isAtEnd)
    this.#at++
  }

  /** Reads an escape; returns false if what follows belongs to it. */
  #escape(parts: Parts): boolean {
    this.#at++
    const character = this.#peek()
    this.#at += character.length
    if (/[dDwWsSbB]/.test(character)) parts.interrupt()
    else if (character === '' || /[\p{L}\p{N}]/u.test(character)) return false
    else parts.add(character, this.#ignoreCase)
    return true
  }

  #braces(parts: Parts): void {
    quantifier.lastIndex = this.#at - 1
    const [whole = '{', least = ''] = quantifier.exec(this.#source) ?? []
    this.#at += whole.length - 1
    if (Number(least) === 0) parts.makeLastOptional()
    else parts.interrupt()
  }

  /** Returns the next character; an empty text at the end. */
  #peek(): string {
    const code = this.#source.codePointAt(this.#at)
    return code === undefined ? '' : String.fromCodePoint(code)
  }

  #skip(character: string): boolean {
    const isHere = this.#peek() === character
    if (isHere) this.#at++
    return isHere
  }
}
