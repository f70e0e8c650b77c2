import type { LogLine } from '../../../../../kernel/events.ts'
import { plainOf } from '../../../../../kernel/logs/plain-text.ts'

/** A line in the page. */
export interface Row extends LogLine {
  /** The text without control sequences. */
  readonly plain: string
}

/** Makes a row of a line. */
export function rowOf(line: LogLine): Row {
  return { ...line, plain: plainOf(line.text) }
}

/** Whether a value of the topic `logs` is one. */
export function isLogLine(value: unknown): value is LogLine {
  return typeof value === 'object' && value !== null && 'text' in value && 'service' in value && 'time' in value
}

/** Lines, each as often as it is there. */
export class Tally {
  readonly #counts = new Map<string, number>()

  constructor(lines: readonly LogLine[]) {
    for (const line of lines) this.#counts.set(identityOf(line), (this.#counts.get(identityOf(line)) ?? 0) + 1)
  }

  /** Takes a line out; returns whether it was there. */
  take(line: LogLine): boolean {
    const identity = identityOf(line)
    const count = this.#counts.get(identity) ?? 0
    if (count > 0) this.#counts.set(identity, count - 1)
    return count > 0
  }
}

function identityOf({ time, service, stream, text }: LogLine): string {
  return `${time} ${service} ${stream} ${text}`
}

/** Lines that were read: the stream may send some of them later, once each. */
export class ReadLines {
  readonly #tally: Tally
  readonly #oldest: string
  readonly #newest: string

  constructor(lines: readonly LogLine[]) {
    this.#tally = new Tally(lines)
    const times = lines.map(({ time }) => time).sort()
    this.#oldest = times[0] ?? ''
    this.#newest = times.at(-1) ?? ''
  }

  /** Whether a line is a new one; lines as old as the oldest that was read, and not among these, are older ones. */
  takes(line: LogLine): boolean {
    if (line.time > this.#newest) return true
    return !this.#tally.take(line) && line.time > this.#oldest
  }
}

/** Returns lines without those that are known already, from the end on. */
export function without<T extends LogLine>(lines: readonly T[], known: readonly LogLine[]): readonly T[] {
  const tally = new Tally(known)
  return lines
    .toReversed()
    .filter(line => !tally.take(line))
    .reverse()
}
