/** What follows a variable's name in `${…}`, as compose reads it. */
type Operator = ':-' | '-' | ':?' | '?' | ':+' | '+'

/** A reference to a variable. */
interface Reference {
  readonly name: string
  readonly operator: Operator | undefined
  readonly word: readonly Piece[]
}

/** A piece of a text with references. */
export type Piece = string | Reference

/** Why a text cannot be read or resolved. */
export interface Fault {
  readonly fault: string
}

/** Returns the value of a variable; undefined where it is not set. */
export type Scope = (name: string) => string | undefined

/** The limit of nested words, which keeps the functions here from overflowing the stack. */
const depthLimit = 10
/** The limit of a text with the values of its variables: a few references in `.env` could stand for gigabytes. */
const lengthLimit = 65_536

const namePattern = /[A-Za-z_][A-Za-z0-9_]*/y
const operatorPattern = /:?[-?+]/y

/** Parses the references of compose: `$NAME`, `${NAME}`, `${NAME:-word}` and the like; `$$` is a dollar sign. */
export function parseTemplate(text: string): readonly Piece[] | Fault {
  return text.includes('$') ? new Reader(text).pieces(0) : text === '' ? [] : [text]
}

class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  /** Reads up to the end, or inside a word up to its closing brace. */
  pieces(depth: number): readonly Piece[] | Fault {
    const pieces: Piece[] = []
    let literal = ''
    let open = 0
    while (this.#at < this.#text.length) {
      const character = this.#text[this.#at] ?? ''
      if (depth > 0 && character === '}' && open-- === 0) break
      if (depth > 0 && character === '{') open++
      if (character !== '$') {
        literal += character
        this.#at++
        continue
      }
      if (this.#text[this.#at + 1] === '$') {
        literal += '$'
        this.#at += 2
        continue
      }
      const reference = this.#reference(depth)
      if ('fault' in reference) return reference
      pieces.push(literal, reference)
      literal = ''
    }
    return [...pieces, literal].filter(piece => piece !== '')
  }

  #reference(depth: number): Reference | Fault {
    const column = this.#at + 1
    const isBraced = this.#text[this.#at + 1] === '{'
    this.#at += isBraced ? 2 : 1
    const name = this.#match(namePattern)
    if (name === undefined)
      return { fault: `has a $ at column ${column} that names no variable; write $$ for a dollar` }
    if (!isBraced) return { name, operator: undefined, word: [] }
    const operator = this.#match(operatorPattern)
    const word = operator === undefined ? [] : depth < depthLimit ? this.pieces(depth + 1) : tooDeep
    if ('fault' in word) return word
    if (this.#text[this.#at] !== '}') return { fault: `has a \${ at column ${column} that is never closed` }
    this.#at++
    return { name, operator: isOperator(operator) ? operator : undefined, word }
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const [found] = pattern.exec(this.#text) ?? []
    this.#at += found?.length ?? 0
    return found
  }
}

const tooDeep: Fault = { fault: `has defaults nested more than ${depthLimit} deep` }

function isOperator(text: string | undefined): text is Operator {
  return text !== undefined && /^:?[-?+]$/.test(text)
}

/** Returns the names of all variables of a text. */
export function variablesOf(pieces: readonly Piece[]): readonly string[] {
  return pieces.flatMap(piece => (typeof piece === 'string' ? [] : [piece.name, ...variablesOf(piece.word)]))
}

/** Replaces the references by their values, as compose does; an unset variable is empty. */
export function resolveTemplate(pieces: readonly Piece[], scope: Scope): string | Fault {
  let text = ''
  for (const piece of pieces) {
    const part = typeof piece === 'string' ? piece : resolve(piece, scope)
    if (typeof part !== 'string') return part
    text += part
    if (text.length > lengthLimit) return { fault: `is longer than ${lengthLimit} characters with its variables` }
  }
  return text
}

function resolve({ name, operator, word }: Reference, scope: Scope): string | Fault {
  const value = scope(name)
  const isSet = value !== undefined && (value !== '' || operator?.startsWith(':') !== true)
  switch (operator?.at(-1)) {
    case '-':
      return isSet ? value : resolveTemplate(word, scope)
    case '+':
      return isSet ? resolveTemplate(word, scope) : ''
    case '?': {
      if (isSet) return value
      const message = resolveTemplate(word, scope)
      return {
        fault: `needs the variable ${name}${typeof message === 'string' && message !== '' ? `: ${message}` : ''}`,
      }
    }
    default:
      return value ?? ''
  }
}

/** A text in locald's own syntax, and the variables whose present values it contains. */
export interface Translated {
  readonly text: string
  readonly fixed: readonly string[]
}

/**
 * Translates a text to locald's syntax, which has `${NAME:-word}` and `${NAME:?message}` only. Other references are
 * replaced by the values that they have now.
 */
export function translateTemplate(pieces: readonly Piece[], scope: Scope): Translated | Fault {
  let text = ''
  let literal = ''
  const fixed: string[] = []
  for (const piece of pieces) {
    if (typeof piece === 'string') {
      literal += piece
      continue
    }
    // `$${` would be a literal one.
    const reference = literal.endsWith('$') ? undefined : referenceOf(piece, scope)
    if (reference !== undefined) {
      text += escapeLiteral(literal) + reference
      literal = ''
      continue
    }
    const value = resolve(piece, scope)
    if (typeof value !== 'string') return value
    literal += value
    fixed.push(piece.name)
  }
  return { text: text + escapeLiteral(literal), fixed }
}

function escapeLiteral(text: string): string {
  return text.replaceAll('${', () => '$${')
}

/** Returns a reference in locald's syntax; undefined where that has none. */
function referenceOf({ name, operator, word }: Reference, scope: Scope): string | undefined {
  if (operator === undefined) return `\${${name}:-}`
  // Without the colon an empty value is a value; with it, it counts as unset.
  if (operator.length === 1 && scope(name) === '') return undefined
  if (operator.endsWith('+')) return undefined
  if (operator.endsWith('?')) {
    const message = resolveTemplate(word, scope)
    return typeof message === 'string' ? `\${${name}:?${message.replace(/[}\n]/g, ' ')}}` : undefined
  }
  // A brace would close the reference.
  if (word.some(piece => typeof piece === 'string' && /[{}]/.test(piece))) return undefined
  const inner = translateTemplate(word, scope)
  return 'fault' in inner || inner.fixed.length > 0 || inner.text.endsWith('$')
    ? undefined
    : `\${${name}:-${inner.text}}`
}
