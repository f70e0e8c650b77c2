import { StringDecoder } from 'node:string_decoder'
import { LocaldError } from '../errors.ts'

/** A complete line of output. `time` is that of its first byte: UTC, RFC 3339 with six decimals. */
export interface OutputLine {
  readonly time: string
  readonly stream: string
  readonly text: string
}

/**
 * An entry of a log file in CRI format, `<time> <stream> <F|P> <text>`; P: the line continues in the stream's next
 * entry.
 */
interface Entry {
  readonly time: string
  readonly stream: string
  readonly full: boolean
  /** Range of its text in the chunk. */
  readonly from: number
  readonly to: number
}

export const newline = 0x0a
const space = 0x20
/** `2026-11-24T03:44:10.123456Z` */
const timeLength = 27

/**
 * A longer line is split into pieces of about this length, in UTF-16 units: an endless line must not fill the memory.
 */
export const longestLine = 1024 * 1024

/** An unfinished line. Its decoder keeps a split character until its remaining bytes arrive. */
interface Part {
  readonly time: string
  readonly decoder: StringDecoder
  text: string
}

/** Joins entries into lines, per stream. */
export class LineJoiner {
  readonly #parts = new Map<string, Part>()

  /** Whether a line is unfinished. */
  get isOpen(): boolean {
    return this.#parts.size > 0
  }

  /** Returns the lines that a chunk of complete entries completes. */
  push(chunk: Buffer): OutputLine[] {
    const lines: OutputLine[] = []
    for (const entry of entriesIn(chunk)) {
      const { time, stream, full, from, to } = entry
      const part = this.#parts.get(stream)
      if (part === undefined && full) lines.push({ time, stream, text: chunk.toString('utf8', from, to) })
      else {
        const line = this.#join(part, entry, chunk.subarray(from, to))
        if (line !== undefined) lines.push(line)
      }
    }
    return lines
  }

  /** Returns unfinished lines, such as prompts, without consuming them. */
  peek(): OutputLine[] {
    return [...this.#parts].map(([stream, { time, text }]) => ({ time, stream, text })).filter(line => line.text !== '')
  }

  #join(part: Part | undefined, { time, stream, full }: Entry, bytes: Buffer): OutputLine | undefined {
    const open = part ?? { time, decoder: new StringDecoder('utf8'), text: '' }
    open.text += open.decoder.write(bytes)
    if (full) {
      this.#parts.delete(stream)
      return { time: open.time, stream, text: open.text + open.decoder.end() }
    }
    const isTooLong = open.text.length >= longestLine
    this.#parts.set(stream, isTooLong ? { ...open, time, text: '' } : open)
    return isTooLong ? { time: open.time, stream, text: open.text } : undefined
  }
}

/** Returns the streams with entries in a chunk, and those with a complete line in it. */
export function streamsIn(chunk: Buffer): {
  readonly seen: ReadonlySet<string>
  readonly completed: ReadonlySet<string>
} {
  const seen = new Set<string>()
  const completed = new Set<string>()
  for (const { stream, full } of entriesIn(chunk)) {
    seen.add(stream)
    if (full) completed.add(stream)
  }
  return { seen, completed }
}

/**
 * Converts an RFC 3339 time with any zone and precision to the format of the files. Returns undefined if it is invalid.
 */
export function stampOf(time: string): string | undefined {
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/.test(time)) return time
  const ms = Date.parse(time)
  return Number.isNaN(ms) ? undefined : `${new Date(ms).toISOString().slice(0, -1)}000Z`
}

/** Converts a time like `stampOf`. Throws USAGE if it is invalid. */
export function parseStamp(time: string | undefined): string | undefined {
  const stamp = time === undefined ? undefined : stampOf(time)
  if (time === undefined || stamp !== undefined) return stamp
  throw new LocaldError('USAGE', `invalid time '${time}'`, { hint: 'Use one such as 2026-11-24T03:44:10Z.' })
}

/** Yields the entries of a chunk. */
export function* entriesIn(chunk: Buffer): Generator<Entry> {
  for (let start = 0; start < chunk.length; ) {
    const found = chunk.indexOf(newline, start)
    const end = found === -1 ? chunk.length : found
    const entry = entryOf(chunk, start, end)
    if (entry !== undefined) yield entry
    start = end + 1
  }
}

/** Parses the entry in [start, end); returns undefined if the file is corrupt there. */
function entryOf(chunk: Buffer, start: number, end: number): Entry | undefined {
  const afterTime = start + timeLength
  if (chunk[afterTime] !== space || end < afterTime + 2) return undefined
  const afterStream = chunk.indexOf(space, afterTime + 1)
  if (afterStream === -1 || afterStream + 2 > end) return undefined
  const tag = chunk[afterStream + 1]
  if (tag !== 0x46 && tag !== 0x50) return undefined
  return {
    time: chunk.toString('latin1', start, afterTime),
    stream: chunk.toString('latin1', afterTime + 1, afterStream),
    full: tag === 0x46,
    from: Math.min(afterStream + 3, end),
    to: end,
  }
}
