/** Splits a file into what its readers read: strings, comments, identifiers, text. For the test of the language. */

/** `text` is all of a file that is not code, such as Markdown. */
export type Kind = 'string' | 'comment' | 'identifier' | 'text'

/** One string, comment, identifier or line of a file. */
export interface Piece {
  readonly kind: Kind
  readonly text: string
  /** Where it starts, from 1. */
  readonly line: number
}

/** A token of TypeScript or C; `punctuation` is one character of code that is none of the others. */
export interface Token extends Omit<Piece, 'kind'> {
  readonly kind: Kind | 'punctuation'
}

/** Splits a file into pieces by its name; code that says nothing, such as numbers, is left out. */
export function piecesOf(file: string, text: string): readonly Piece[] {
  if (/\.(?:tsx?|js|mjs|cjs|c|h)$/.test(file)) return tokensOf(text).filter(isPiece)
  return text.split('\n').map((line, index) => ({ kind: 'text', text: line, line: index + 1 }))
}

function isPiece(token: Token): token is Piece {
  return token.kind !== 'punctuation'
}

/** A keyword or punctuation after which `/` begins a regular expression and does not divide. */
const beforeRegex = /(?:^|[(,=:[!&|?{};+\-*%~^<>]|\b(?:return|typeof|case|in|of|await|yield|do|else))$/
const isSpace = (char: string) => /\s/.test(char)

/** Reads TypeScript, JavaScript or C. A template is one string for each part between its `${}`. */
export function tokensOf(text: string): readonly Token[] {
  return new Lexer(text).all()
}

class Lexer {
  readonly #text: string
  readonly #tokens: Token[] = []
  #at = 0
  #line = 1
  /** Open braces of each `${`, innermost last. */
  readonly #depths: number[] = []
  /** The last token that is no comment. */
  #previous = ''

  constructor(text: string) {
    this.#text = text
  }

  all(): readonly Token[] {
    while (this.#at < this.#text.length) this.#next()
    return this.#tokens
  }

  #next(): void {
    const rest = this.#text.slice(this.#at, this.#at + 2)
    const [char = ''] = rest
    if (isSpace(char)) this.#skip(1)
    else if (rest === '//') this.#add('comment', this.#match(/[^\n]*/y))
    else if (rest === '/*') this.#add('comment', this.#match(/[\s\S]*?(?:\*\/|$)/y))
    else if (char === '`') this.#template()
    else if (char === "'" || char === '"') this.#add('string', this.#match(/(['"])(?:\\[\s\S]|(?!\1)[^\\\n])*\1?/y))
    else if (char === '/' && beforeRegex.test(this.#previous))
      this.#add('string', this.#match(/\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n])*\/?\w*/y))
    else if (/[A-Za-z_$#]/.test(char)) this.#add('identifier', this.#match(/[#]?[\w$]*/y) || char)
    else if (char === '}' && this.#depths.at(-1) === 0) {
      this.#depths.pop()
      this.#template()
    } else this.#punctuation(char)
  }

  #punctuation(char: string): void {
    const depth = this.#depths.at(-1)
    if (depth !== undefined && (char === '{' || char === '}'))
      this.#depths[this.#depths.length - 1] = depth + (char === '{' ? 1 : -1)
    this.#add('punctuation', char)
  }

  /** From a backtick, or the `}` that closes a substitution, to the next `${` or the closing backtick. */
  #template(): void {
    const part = this.#match(/[`}](?:\\[\s\S]|\$(?!\{)|[^\\`$])*(?:`|\$\{)?/y)
    this.#add('string', part)
    if (part.endsWith('${')) {
      this.#depths.push(0)
      this.#previous = '{'
    }
  }

  #add(kind: Token['kind'], text: string): void {
    this.#tokens.push({ kind, text, line: this.#line })
    if (kind !== 'comment') this.#previous = kind === 'string' ? '"' : text
    this.#skip(text.length || 1)
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at
    return pattern.exec(this.#text)?.[0] ?? ''
  }

  #skip(length: number): void {
    for (let n = 0; n < length; n++) if (this.#text[this.#at++] === '\n') this.#line++
  }
}

/** The words of a name, in lower case: `endedAt` has `ended` and `at`. */
export function wordsOf(identifier: string): readonly string[] {
  return identifier
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter(Boolean)
}

/**
 * The strings of each property or variable of these names, such as `hint: 'Run …'`: the alternatives of a condition are
 * all its own.
 */
export function stringsOf(tokens: readonly Token[], names: readonly string[]): readonly Piece[] {
  const found: Piece[] = []
  const code = tokens.filter(({ kind }) => kind !== 'comment')
  for (const [index, { kind, text }] of code.entries()) {
    const [after, next] = [code[index + 1]?.text, code[index + 2]?.text ?? '']
    // No alternative of a condition, no comparison, no arrow.
    const isGiven = (after === ':' && code[index - 1]?.text !== '?') || (after === '=' && !'=>'.includes(next))
    if (kind === 'identifier' && names.includes(text) && isGiven) found.push(...alternativesOf(code, index + 2))
  }
  return found
}

/** Finds the strings that an expression may result in: no arguments of its calls, nothing that it is compared with. */
function alternativesOf(code: readonly Token[], from: number): readonly Piece[] {
  const found: Piece[] = []
  let depth = 0
  for (let at = from; at < code.length; at++) {
    const token = code[at]
    const before = code[at - 1]
    if (token === undefined) break
    const { kind, text, line } = token
    if (kind === 'string') {
      const isRest = text.startsWith('}')
      const isCompared = before?.text === '=' && /[=!]/.test(code[at - 2]?.text ?? '')
      if (depth === 0 && !isRest && !isCompared) found.push({ kind, text, line })
      // What is within `${}` is deeper than its template.
      depth += (text.endsWith('${') ? 1 : 0) - (isRest ? 1 : 0)
    } else if ('([{'.includes(text)) depth++
    else if (')]}'.includes(text) && --depth < 0) break
    else if (depth === 0 && (text === ',' || text === ';')) break
    // A statement without a semicolon goes no further than its line.
    else if (depth === 0 && kind === 'identifier' && before?.line !== line && before?.kind === 'string') break
  }
  return found
}
