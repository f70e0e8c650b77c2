import { createContext, Script } from 'node:vm'
import { LocaldError, messageOf } from '../errors.ts'
import type { OutputLine } from './lines.ts'

/** A batch of lines may take a regular expression this long, ms: a catastrophic one must not stop the daemon. */
const batchLimit = 250

/** A terminal's escape sequences (ECMA-48 CSI and OSC, and two-byte escapes). */
const ansi = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\-_])/g

/** A text without a terminal's escape sequences. */
export function plain(text: string): string {
  return text.includes('\u001b') ? text.replaceAll(ansi, '') : text
}

/** A user's regular expression over lines, matched without ANSI codes and with a time limit. Throws USAGE for a bad one. */
export class Grep {
  readonly #context
  readonly #script = new Script('hits = texts.map(text => regex.test(text))')

  constructor(source: string) {
    const regex = compiled(source)
    this.#context = createContext({ source: regex.source, flags: regex.flags, texts: [], hits: [] })
    new Script('regex = new RegExp(source, flags)').runInContext(this.#context)
  }

  /** The lines that match. Throws USAGE when the expression takes too long. */
  matching<T extends Pick<OutputLine, 'text'>>(lines: readonly T[]): readonly T[] {
    if (lines.length === 0) return lines
    this.#context['texts'] = lines.map(line => plain(line.text))
    try {
      this.#script.runInContext(this.#context, { timeout: batchLimit })
    } catch {
      throw new LocaldError('USAGE', 'the regular expression takes too long', {
        hint: 'Use one without nested repetition.',
      })
    }
    const hits: unknown = this.#context['hits']
    return Array.isArray(hits) ? lines.filter((_, index) => hits[index] === true) : []
  }
}

/** With Unicode classes if it can be read so (`\p{L}`), else as people write it (`\-`). */
function compiled(source: string): RegExp {
  try {
    return new RegExp(source, 'u')
  } catch {
    try {
      return new RegExp(source)
    } catch (error) {
      throw new LocaldError('USAGE', `'${source}' is no regular expression: ${messageOf(error)}`, {
        hint: 'It is a JavaScript regular expression; escape ( ) [ ] { } . * + ? with a backslash.',
      })
    }
  }
}
