import { StringDecoder } from 'node:string_decoder'

/** A whole line of output. `time`: UTC, RFC 3339 with six decimals, of its first byte. */
export interface OutputLine {
  readonly time: string
  readonly stream: string
  readonly text: string
}

/** An entry of a log file: CRI, `<time> <stream> <F|P> <text>`; P: the line goes on in the stream's next entry. */
interface Entry {
  readonly time: string
  readonly stream: string
  readonly full: boolean
  /** Where its text is in the chunk. */
  readonly from: number
  readonly to: number
}

const newline = 0x0a
const space = 0x20
/** `2026-11-24T03:44:10.123456Z` */
const timeLength = 27

/** A line longer than this is given in pieces of about this length, UTF-16 units: what never ends must not fill the memory. */
export const longestLine = 1024 * 1024

/** An unfinished line. Its decoder keeps a character that is cut in two until the rest of it comes. */
interface Part {
  readonly time: string
  readonly decoder: StringDecoder
  text: string
}

/** Joins entries to lines, per stream. */
export class LineJoiner {
  readonly #parts = new Map<string, Part>()

  /** Lines that a chunk of whole entries completes. */
  push(chunk: Buffer): OutputLine[] {
    const lines: OutputLine[] = []
    for (const entry of entriesOf(chunk)) {
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

  /** What is unfinished, as lines: prompts, a last line without an end. It stays held back. */
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

/** The streams that a chunk has entries of, and those of which it has the end of a line. */
export function streamsIn(chunk: Buffer): { readonly seen: ReadonlySet<string>; readonly ended: ReadonlySet<string> } {
  const seen = new Set<string>()
  const ended = new Set<string>()
  for (const { stream, full } of entriesOf(chunk)) {
    seen.add(stream)
    if (full) ended.add(stream)
  }
  return { seen, ended }
}

/** A time as the files have it, for comparing: RFC 3339 with any zone and precision. Undefined for what is no time. */
export function stampOf(time: string): string | undefined {
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/.test(time)) return time
  const ms = Date.parse(time)
  return Number.isNaN(ms) ? undefined : `${new Date(ms).toISOString().slice(0, -1)}000Z`
}

function* entriesOf(chunk: Buffer): Generator<Entry> {
  for (let start = 0; start < chunk.length; ) {
    const found = chunk.indexOf(newline, start)
    const end = found === -1 ? chunk.length : found
    const entry = entryOf(chunk, start, end)
    if (entry !== undefined) yield entry
    start = end + 1
  }
}

/** The entry in [start, end); undefined where a damaged file holds something else. */
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
