import type { LogLine } from '../events.ts'
import type { LogLevel, LogSearchProgress } from '../protocol.ts'
import { Turns } from '../system/async.ts'
import { Grep } from './grep.ts'
import { isAtLeast, levelOf } from './level.ts'
import { LineJoiner, type OutputLine, parseStamp } from './lines.ts'
import { plainOf } from './plain-text.ts'
import { blocksBefore, hasEntryUntil, type LineFilter, selectLines } from './seek.ts'
import { type LogSegment, openNewestSegment, sizeOfLog } from './segments.ts'
import type { ServiceLog } from './service-log.ts'

/** What to search for, and where. */
export interface SearchRequest {
  readonly sources: readonly { readonly service: string; readonly log: ServiceLog }[]
  readonly text?: string | undefined
  /** The lowest level. */
  readonly level?: LogLevel | undefined
  /** Whether the text is a JavaScript regular expression. */
  readonly regex?: boolean | undefined
  readonly case?: boolean | undefined
  /** RFC 3339, included. */
  readonly since?: string | undefined
  readonly until?: string | undefined
  /** The search ends when there are so many matches. */
  readonly limit: number
  readonly signal: AbortSignal
}

/** A step of a search: matches, newest first, and how far it is. */
export interface SearchStep {
  readonly lines: readonly LogLine[]
  readonly progress: LogSearchProgress
  /** Whether all lines were searched. */
  readonly isComplete: boolean
}

/** Searches read blocks in turn, so that one of large logs does not delay other work. */
const turns = new Turns()

/**
 * Searches the lines of services from the newest to the oldest, block by block. Lines are matched as a reader sees them;
 * one that is longer than a block may be matched in parts.
 * Throws USAGE for an invalid expression or time, and for an expression that times out.
 */
export async function* searchLogs(request: SearchRequest): AsyncGenerator<SearchStep> {
  const { sources, limit, signal } = request
  const filter: LineFilter = {
    since: parseStamp(request.since),
    until: parseStamp(request.until),
    grep: matching(request),
  }
  const sizes = await Promise.all(sources.map(({ log }) => sizeOfLog(log.file)))
  const totalBytes = sizes.reduce((sum, size) => sum + size, 0)
  const readers = sources.map(({ service, log }) => new BackwardReader(service, log.file, filter))
  let matches = 0
  try {
    for (let next = newestOf(readers); !signal.aborted; next = newestOf(readers)) {
      await turns.next()
      const found = (await next?.read()) ?? []
      const lines = found.slice(0, limit - matches)
      matches += lines.length
      const isComplete = lines.length === found.length && newestOf(readers) === undefined
      const scannedBytes = Math.min(
        totalBytes,
        readers.reduce((sum, reader) => sum + reader.scannedBytes, 0),
      )
      const progress = { scannedTo: scannedTo(readers), scannedBytes, totalBytes, matches }
      yield { lines, progress, isComplete }
      if (isComplete || matches >= limit) return
    }
  } finally {
    await Promise.all(readers.map(reader => reader.close()))
  }
}

/** A line as a reader sees it. */
interface Seen {
  readonly line: OutputLine
  readonly text: string
}

function matching(request: SearchRequest): (lines: readonly OutputLine[]) => readonly OutputLine[] {
  const { level } = request
  const find = finderOf(request)
  return lines => {
    const found = find(lines.map(line => ({ line, text: plainOf(line.text) })))
    const wanted =
      level === undefined ? found : found.filter(({ line, text }) => isAtLeast(levelOf(text, line.stream), level))
    return wanted.map(({ line }) => line)
  }
}

function finderOf(request: SearchRequest): (lines: readonly Seen[]) => readonly Seen[] {
  if (request.text === undefined) return lines => lines
  const isExact = request.case === true
  if (request.regex === true) {
    const grep = new Grep(request.text, { ignoreCase: !isExact })
    return lines => grep.matching(lines)
  }
  const fold = (text: string) => (isExact ? text : text.toLowerCase())
  const wanted = fold(request.text)
  return lines => lines.filter(({ text }) => fold(text).includes(wanted))
}

/** Returns the reader that is to read next; undefined when all have read everything. */
function newestOf(readers: readonly BackwardReader[]): BackwardReader | undefined {
  let newest: BackwardReader | undefined
  for (const reader of readers) {
    if (!reader.isDone && (newest === undefined || reader.scannedTo > newest.scannedTo)) newest = reader
  }
  return newest
}

/** Returns the time back to which all readers have read; null before each has read a block. */
function scannedTo(readers: readonly BackwardReader[]): string | null {
  const open = readers.filter(({ isDone }) => !isDone).map(reader => reader.scannedTo)
  const oldest = readers.map(reader => reader.scannedTo).toSorted()[0]
  const time = open.toSorted().at(-1) ?? oldest
  return time === undefined || time === unread ? null : time
}

/** Later than every time. */
const unread = '~'

/** Reads a log backwards in blocks. */
class BackwardReader {
  readonly #service: string
  readonly #file: string
  readonly #filter: LineFilter
  #newest: LogSegment | undefined
  #blocks: AsyncGenerator<{ readonly bytes: Buffer }> | undefined
  /** The block before which the next one is: its first lines may begin there. */
  #newer: Buffer | undefined
  scannedTo = unread
  scannedBytes = 0
  isDone = false

  constructor(service: string, file: string, filter: LineFilter) {
    this.#service = service
    this.#file = file
    this.#filter = filter
  }

  /** Reads the next older block; returns its matching lines, newest first. */
  async read(): Promise<readonly LogLine[]> {
    const older = await this.#next()
    const bytes = this.#newer
    this.#newer = older
    if (older === undefined) this.isDone = true
    if (bytes === undefined) return []
    this.scannedBytes += bytes.length
    return this.#linesOf(bytes, older)
  }

  async close(): Promise<void> {
    await this.#blocks?.return(undefined)
    await this.#newest?.close()
  }

  #linesOf(bytes: Buffer, older: Buffer | undefined): readonly LogLine[] {
    const { since, until } = this.#filter
    const isLater = (block: Buffer) => until !== undefined && !hasEntryUntil(block, until)
    if (isLater(bytes) && (older === undefined || isLater(older))) return []
    const joiner = new LineJoiner()
    // Lines that begin in the older block are completed here.
    if (older !== undefined) joiner.push(older)
    const lines = joiner.push(bytes)
    const oldest = lines.map(({ time }) => time).toSorted()[0] ?? unread
    if (oldest < this.scannedTo) this.scannedTo = oldest
    if (since !== undefined && oldest < since) this.isDone = true
    return selectLines(lines, this.#filter)
      .map(line => this.#toLogLine(line))
      .reverse()
  }

  #toLogLine(line: OutputLine): LogLine {
    return { ...line, service: this.#service }
  }

  async #next(): Promise<Buffer | undefined> {
    if (this.#blocks === undefined) {
      this.#newest = await openNewestSegment(this.#file)
      if (this.#newest === undefined) return undefined
      this.#blocks = blocksBefore(this.#file, this.#newest, await this.#newest.size())
    }
    const next = await this.#blocks.next()
    return next.done === true ? undefined : next.value.bytes
  }
}
