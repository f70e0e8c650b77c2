import type { LogLine } from '../../kernel/events.ts'
import { sanitizeLogText } from '../output/log-format.ts'

/** Remembers the printed pieces of unfinished lines: when a line is complete, only the rest of it is printed. */
export class PartialLines {
  readonly #printed = new Map<string, { readonly time: string; readonly length: number }>()

  /** Returns the parts of lines that were not printed yet. */
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
    return isPiece && sanitizeLogText(text, false).trim() === '' ? [] : [{ ...line, text }]
  }
}
