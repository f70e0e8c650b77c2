/** An entry of a log file: CRI, `<time> <stream> <F|P> <text>`; P: the line goes on in the stream's next entry. */
interface Entry {
  readonly time: string
  readonly stream: string
  readonly full: boolean
  readonly text: Buffer
}

/** A whole line of output. */
export interface OutputLine {
  readonly time: string
  readonly stream: string
  readonly text: string
}

const newline = 0x0a
const space = 0x20
/** `2026-11-24T03:44:10.123456Z` */
const timeLength = 27

/** Joins entries to lines, per stream. Bytes are decoded only when a line is whole, so that no character is cut. */
export class LineJoiner {
  readonly #parts = new Map<string, { readonly time: string; readonly pieces: Buffer[] }>()

  /** Lines that a chunk of whole entries completes. */
  push(chunk: Buffer): OutputLine[] {
    const lines: OutputLine[] = []
    for (const entry of entriesOf(chunk)) {
      const part = this.#parts.get(entry.stream)
      if (!entry.full) {
        if (part === undefined) this.#parts.set(entry.stream, { time: entry.time, pieces: [entry.text] })
        else part.pieces.push(entry.text)
        continue
      }
      if (part === undefined) lines.push({ time: entry.time, stream: entry.stream, text: entry.text.toString() })
      else {
        this.#parts.delete(entry.stream)
        const text = Buffer.concat([...part.pieces, entry.text]).toString()
        lines.push({ time: part.time, stream: entry.stream, text })
      }
    }
    return lines
  }

  get pending(): boolean {
    return this.#parts.size > 0
  }

  /** What is unfinished, as lines: prompts, a last line without an end. */
  peek(): OutputLine[] {
    return [...this.#parts]
      .map(([stream, { time, pieces }]) => ({ time, stream, text: Buffer.concat(pieces).toString() }))
      .filter(line => line.text !== '')
  }

  /** The same, and begins anew. */
  flush(): OutputLine[] {
    const lines = this.peek()
    this.#parts.clear()
    return lines
  }
}

/** The index behind the last whole entry that ends a line, searching from the start: where an older block may be cut off. */
export function firstLineEnd(chunk: Buffer): number {
  for (let start = 0; start < chunk.length; ) {
    const end = chunk.indexOf(newline, start)
    if (end === -1) return -1
    if (entryOf(chunk, start, end)?.full === true) return end + 1
    start = end + 1
  }
  return -1
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
    text: chunk.subarray(Math.min(afterStream + 3, end), end),
  }
}
