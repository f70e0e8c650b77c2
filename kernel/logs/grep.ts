import { createContext, Script } from 'node:vm'
import { LocaldError, messageOf } from '../errors.ts'
import type { OutputLine } from './lines.ts'
import { stripAnsi } from './plain-text.ts'
import { Prefilter } from './prefilter.ts'
import { requiredTexts } from './required-text.ts'

/** Time limit of a regular expression for a batch of lines, ms: catastrophic backtracking must not block the daemon. */
const batchLimit = 250
const mostTries = 4

/**
 * Matches a user's regular expression against lines, without ANSI codes and with a time limit. Throws USAGE if it is
 * invalid.
 */
export class Grep {
  readonly #context
  /** Finds bytes without a line that matches; undefined if the expression needs no text. */
  readonly prefilter: Prefilter | undefined
  readonly #script = new Script('hits = texts.map(text => regex.test(text))')

  constructor(source: string, { ignoreCase = false }: { readonly ignoreCase?: boolean } = {}) {
    const regex = compile(source, ignoreCase ? 'i' : '')
    const texts = requiredTexts(source, ignoreCase)
    this.prefilter = texts && new Prefilter(texts, ignoreCase)
    this.#context = createContext({ source: regex.source, flags: regex.flags, texts: [], hits: [] })
    new Script('regex = new RegExp(source, flags)').runInContext(this.#context)
  }

  /** Returns the lines that match. Throws USAGE on timeout. */
  matching<T extends Pick<OutputLine, 'text'>>(lines: readonly T[]): readonly T[] {
    if (lines.length === 0) return lines
    this.#context['texts'] = lines.map(line => stripAnsi(line.text))
    this.#run()
    const hits: unknown = this.#context['hits']
    return Array.isArray(hits) ? lines.filter((_, index) => hits[index] === true) : []
  }

  #run(): void {
    for (let tries = mostTries; ; tries--) {
      const used = process.cpuUsage()
      try {
        this.#script.runInContext(this.#context, { timeout: batchLimit })
        return
      } catch {
        const { user, system } = process.cpuUsage(used)
        // On a busy machine, the time may have passed without the expression running.
        if (tries > 1 && (user + system) / 1000 < batchLimit / 2) continue
        throw new LocaldError('USAGE', 'the regular expression timed out', {
          hint: 'Use one without nested repetition.',
        })
      }
    }
  }
}

/** Compiles with Unicode classes (`\p{L}`) if the source allows it, else without (`\-`). */
function compile(source: string, flags: string): RegExp {
  try {
    return new RegExp(source, `u${flags}`)
  } catch {
    try {
      return new RegExp(source, flags)
    } catch (error) {
      throw new LocaldError('USAGE', `invalid regular expression '${source}': ${messageOf(error)}`, {
        hint: 'Write a JavaScript regular expression; escape ( ) [ ] { } . * + ? with a backslash.',
      })
    }
  }
}
