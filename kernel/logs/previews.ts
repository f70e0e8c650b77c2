import type { LogLine } from '../events.ts'

/** An unfinished line is given when it has waited for so long, and so often while it grows: ms. */
const pauseMs = 500

/** A piece must not end in the middle of an escape sequence (ECMA-48), which nobody could recognise then. */
const unfinishedEscape = /\x1b(?:\[[0-?]*[ -/]*)?$/

/** A log that is followed. */
interface Followed {
  /** Its unfinished lines as they are so far. */
  unfinished(): readonly LogLine[]
}

/** Unfinished lines of followed logs, such as questions and progress: what of them was not given yet, after a short pause. */
export class Previews {
  /** How much was given of the unfinished line of an output. */
  readonly #given = new Map<string, { readonly time: string; readonly length: number }>()
  #since: number | undefined

  /** Returns the time until `take` has something: ms. Undefined while there is nothing. */
  wait(logs: readonly Followed[]): number | undefined {
    const now = performance.now()
    this.#since = this.#pieces(logs).length > 0 ? (this.#since ?? now) : undefined
    return this.#since === undefined ? undefined : Math.max(0, this.#since + pauseMs - now)
  }

  /** Returns the pieces that were not given yet. */
  take(logs: readonly Followed[]): readonly LogLine[] {
    this.#since = undefined
    const pieces = this.#pieces(logs)
    for (const piece of pieces) {
      const { time, text, from = 0 } = piece
      this.#given.set(outputOf(piece), { time, length: from + text.length })
    }
    return pieces
  }

  #pieces(logs: readonly Followed[]): readonly LogLine[] {
    return logs.flatMap(log => log.unfinished().flatMap(line => this.#pieceOf(line)))
  }

  #pieceOf(line: LogLine): readonly LogLine[] {
    const given = this.#given.get(outputOf(line))
    const from = given?.time === line.time ? given.length : 0
    const text = line.text.slice(from).replace(unfinishedEscape, '')
    return text === '' ? [] : [{ ...line, text, from }]
  }
}

function outputOf({ service, stream }: LogLine): string {
  return `${service}\0${stream}`
}
