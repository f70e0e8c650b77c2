import type { LogLine } from '../../../../../kernel/events.ts'
import { lastWritten } from '../../../../../kernel/logs/last-written.ts'

/** How grave a line is, as far as its text says. */
export const levels = ['debug', 'info', 'warn', 'error'] as const
export type Level = (typeof levels)[number]

/** A line in the page. */
export interface Row extends LogLine {
  /** The text without control sequences. */
  readonly plain: string
}

/** Terminal escape sequences (ECMA-48 CSI and OSC, and two-byte escapes). */
const sequences = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])/g
/** Those that are not colours, and control characters but tab and escape. */
const notColours =
  /\x1b(?:\[[0-?]*[ -/]*[@-ln-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f]/g
const controls = /[\x00-\x08\x0a-\x1f\x7f]/

/** Makes a row of a line. */
export function rowOf(line: LogLine): Row {
  return { ...line, plain: controls.test(line.text) ? plainOf(line.text) : line.text }
}

/** Returns a text with its colours, without other control sequences; of what was overwritten the last remains. */
export function colouredOf(text: string): string {
  return controls.test(text) ? lastWritten(text).replace(notColours, '') : text
}

function plainOf(text: string): string {
  return colouredOf(text).replace(sequences, '').replaceAll('\x1b', '')
}

/** Whether a value of the topic `logs` is one. */
export function isLogLine(value: unknown): value is LogLine {
  return typeof value === 'object' && value !== null && 'text' in value && 'service' in value && 'time' in value
}

const marks: readonly (readonly [Level, RegExp])[] = [
  ['error', /\b(?:error|err!?|fatal|panic|exception|critical|crit|traceback|uncaught|unhandled)\b|^\s+at .+:\d+/i],
  ['warn', /\bwarn(?:ing)?\b|\bdeprecat/i],
  ['debug', /\b(?:debug|trace|verbose)\b/i],
  ['info', /\b(?:info|log|notice|hint|ready|listening|started)\b/i],
]

/** Guesses the level of a line from its first words; stderr without any is a warning. */
export function levelOf({ plain, stream }: Row): Level {
  const head = plain.slice(0, 200)
  for (const [level, mark] of marks) if (mark.test(head)) return level
  return stream === 'stderr' ? 'warn' : 'info'
}

/** A line as a key: equal ones are counted. */
export function identityOf({ time, service, stream, text }: LogLine): string {
  return `${time} ${service} ${stream} ${text}`
}

/** Counts of lines that were read: the stream may send some of them later, once each. */
export class ReadLines {
  readonly #counts = new Map<string, number>()
  readonly #oldest: string
  readonly #newest: string

  constructor(lines: readonly LogLine[]) {
    for (const line of lines) this.#counts.set(identityOf(line), (this.#counts.get(identityOf(line)) ?? 0) + 1)
    const times = lines.map(({ time }) => time).sort()
    this.#oldest = times[0] ?? ''
    this.#newest = times.at(-1) ?? ''
  }

  /** Whether a line is a new one; lines as old as the oldest that was read, and not among these, are older ones. */
  takes(line: LogLine): boolean {
    if (line.time > this.#newest) return true
    const identity = identityOf(line)
    const count = this.#counts.get(identity) ?? 0
    if (count > 0) this.#counts.set(identity, count - 1)
    return count === 0 && line.time > this.#oldest
  }
}

/** Returns lines without those that are known already, from the end on. */
export function without<T extends LogLine>(lines: readonly T[], known: readonly LogLine[]): readonly T[] {
  const counts = new Map<string, number>()
  for (const line of known) counts.set(identityOf(line), (counts.get(identityOf(line)) ?? 0) + 1)
  const rest: T[] = []
  for (let at = lines.length - 1; at >= 0; at--) {
    const line = lines[at]
    if (line === undefined) continue
    const count = counts.get(identityOf(line)) ?? 0
    if (count > 0) counts.set(identityOf(line), count - 1)
    else rest.push(line)
  }
  return rest.reverse()
}
