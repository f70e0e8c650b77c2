import type { LogLine } from '../events.ts'

/** An unfinished line is returned after this pause, and again at this interval while it grows, ms. */
const pauseMs = 500

/** A piece must not split an escape sequence (ECMA-48), which would be unrecognisable. */
const unfinishedEscape = /\x1b(?:\[[0-?]*[ -/]*)?$/

/** A followed log. */
interface Followed {
  /** Returns its unfinished lines, as they are so far. */
  unfinished(): readonly LogLine[]
}

/** Returns new pieces of unfinished lines of followed logs, such as prompts and progress, after a short pause. */
export class Previews {
  /** How much of the unfinished line of an output was returned. */
  readonly #returned = new Map<string, { readonly time: string; readonly length: number }>()
  #since: number | undefined

  /** Returns the time until `take` has pieces, ms; undefined without any. */
  timeToNext(logs: readonly Followed[]): number | undefined {
    const now = performance.now()
    this.#since = this.#pieces(logs).length > 0 ? (this.#since ?? now) : undefined
    return this.#since === undefined ? undefined : Math.max(0, this.#since + pauseMs - now)
  }

  /** Returns the new pieces. */
  take(logs: readonly Followed[]): readonly LogLine[] {
    this.#since = undefined
    const pieces = this.#pieces(logs)
    for (const piece of pieces) {
      const { time, text, from = 0 } = piece
      this.#returned.set(outputOf(piece), { time, length: from + text.length })
    }
    return pieces
  }

  #pieces(logs: readonly Followed[]): readonly LogLine[] {
    return logs.flatMap(log => log.unfinished().flatMap(line => this.#pieceOf(line)))
  }

  #pieceOf(line: LogLine): readonly LogLine[] {
    const returned = this.#returned.get(outputOf(line))
    const from = returned?.time === line.time ? returned.length : 0
    const text = line.text.slice(from).replace(unfinishedEscape, '')
    return text === '' ? [] : [{ ...line, text, from }]
  }
}

function outputOf({ service, stream }: LogLine): string {
  return `${service}\0${stream}`
}
