import type { LogLine } from '../../kernel/events.ts'
import { clean } from '../output/log-format.ts'

/** Pieces of unfinished lines that were printed: when the lines end, only what is left of them is printed. */
export class Pieces {
  readonly #printed = new Map<string, { readonly time: string; readonly length: number }>()

  /** Returns what of lines is to be printed. */
  rest(lines: readonly LogLine[]): readonly LogLine[] {
    return lines.flatMap(line => this.#restOf(line))
  }

  #restOf(line: LogLine): readonly LogLine[] {
    if (line.from === undefined && this.#printed.size === 0) return [line]
    const output = `${line.service}\0${line.stream}`
    const known = this.#printed.get(output)
    const printed = known?.time === line.time ? known.length : 0
    const { from = 0 } = line
    const text = line.text.slice(Math.max(0, printed - from))
    if (line.from === undefined) this.#printed.delete(output)
    else this.#printed.set(output, { time: line.time, length: Math.max(printed, from + line.text.length) })
    const isPiece = printed > 0 || line.from !== undefined
    // Cursor moves and colours alone are no news.
    return isPiece && clean(text, false).trim() === '' ? [] : [{ ...line, text }]
  }
}
