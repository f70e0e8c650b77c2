import type { LogEntry } from '../../../kernel/contract/plugin.ts'
import type { Dialect } from '../provides.ts'
import { entryTime } from './entry-time.ts'

const newline = 0x0a
/** Engines cut a longer line: docker at exactly this length, podman at half of it. */
const longestText = 16 * 1024
/** Bytes that a time and the space after it have at most: `2026-11-30T17:22:54.123456789+00:00 `. */
const longestTime = 36
const timeAtStart = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)(?= )/
const anyTime = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)(?= )/g
/** The clock of a VM may be ahead of this machine's, ms. */
const aheadMs = 5000

/**
 * Parses one output of `logs --timestamps`: `<time> <text>\n`. An engine prints a part of a line without a newline, so
 * that the time of the next part follows in the middle of the line. A text without a time is a message of the client.
 */
export class ClientEntries {
  readonly #stream: LogEntry['stream']
  readonly #dialect: Dialect
  #rest: Buffer = Buffer.alloc(0)
  /** The time of an entry that is returned in parts. */
  #time: string | undefined
  /** The last message of the client itself. */
  message = ''

  constructor(stream: LogEntry['stream'], dialect: Dialect) {
    this.#stream = stream
    this.#dialect = dialect
  }

  /** Returns the entries that a chunk completes. */
  push(chunk: Buffer): readonly LogEntry[] {
    const data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    return this.#parse(data, false)
  }

  /** Returns what is left at the output's end: a last line without a newline. */
  end(): readonly LogEntry[] {
    return this.#parse(this.#rest, true)
  }

  #parse(data: Buffer, isEnd: boolean): readonly LogEntry[] {
    const entries: LogEntry[] = []
    let at = 0
    while (at < data.length) {
      const newlineAt = data.indexOf(newline, at)
      const end = newlineAt < 0 ? data.length : newlineAt
      const isWhole = newlineAt >= 0 || isEnd
      // Enough for a part and the time of the next one.
      if (!isWhole && end - at <= longestText + 2 * longestTime) break
      at = this.#entry(data, at, end, newlineAt >= 0, entries)
    }
    this.#rest = Buffer.from(data.subarray(at))
    return entries
  }

  /** Adds the entry in [start, end), or its first part; returns where the next one begins. */
  #entry(data: Buffer, start: number, end: number, hasNewline: boolean, entries: LogEntry[]): number {
    const stamp = this.#time === undefined ? timeAt(data, start, end) : undefined
    const time = this.#time ?? stamp?.time
    if (time === undefined) {
      this.message = data.toString('utf8', start, end).trim() || this.message
      return end + 1
    }
    const from = start + (stamp === undefined ? 0 : stamp.length + 1)
    const next = this.#nextPart(data, from, end, time)
    const to = next ?? end
    const isFull = next === undefined && hasNewline
    entries.push({ time, stream: this.#stream, isFull, text: data.subarray(from, to) })
    const isContinued = next !== undefined && timeAt(data, next, end) === undefined
    this.#time = isContinued ? time : undefined
    return next ?? end + 1
  }

  /** Returns where the next part of a line begins. */
  #nextPart(data: Buffer, from: number, end: number, time: string): number | undefined {
    if (this.#dialect === 'podman') {
      for (const match of data.toString('latin1', from, end).matchAll(anyTime)) {
        if (isLater(match[0], time)) return from + match.index
      }
    }
    return end - from > longestText ? from + longestText : undefined
  }
}

/** Whether a time in the middle of a line may be that of its next part: programs print the time from before. */
function isLater(text: string, time: string): boolean {
  const found = entryTime(text)
  return found !== undefined && found >= time && Date.parse(found) < Date.now() + aheadMs
}

function timeAt(data: Buffer, at: number, end: number): { readonly time: string; readonly length: number } | undefined {
  const [text] = timeAtStart.exec(data.toString('latin1', at, Math.min(end, at + longestTime))) ?? []
  const time = text === undefined ? undefined : entryTime(text)
  return text === undefined || time === undefined ? undefined : { time, length: text.length }
}
