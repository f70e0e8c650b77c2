import type { LogLine } from '../events.ts'
import type { LogLevel, LogSearchProgress } from '../protocol.ts'
import { Turns } from '../system/async.ts'
import { type Block, blocksBefore } from './blocks.ts'
import { Grep } from './grep.ts'
import { isAtLeast, levelOf } from './level.ts'
import { LineJoiner, type OutputLine, parseStamp } from './lines.ts'
import { plainOf } from './plain-text.ts'
import { Prefilter } from './prefilter.ts'
import { searchablePart } from './required-text.ts'
import { type LineFilter, selectLines } from './seek.ts'
import { type End, openNewestSegment, sizeOfLog } from './segments.ts'
import type { ServiceLog } from './service-log.ts'
import { findEnd, timeOf } from './time-seek.ts'

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
    ...matching(request),
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

type Matching = Pick<LineFilter, 'grep' | 'prefilter'>

function matching(request: SearchRequest): Matching {
  const { level } = request
  const { find, prefilter } = finderOf(request)
  const grep = (lines: readonly OutputLine[]) => {
    const found = find(lines.map(line => ({ line, text: plainOf(line.text) })))
    const wanted =
      level === undefined ? found : found.filter(({ line, text }) => isAtLeast(levelOf(text, line.stream), level))
    return wanted.map(({ line }) => line)
  }
  return { grep, prefilter }
}

interface Finder extends Pick<Matching, 'prefilter'> {
  readonly find: (lines: readonly Seen[]) => readonly Seen[]
}

function finderOf(request: SearchRequest): Finder {
  if (request.text === undefined) return { find: lines => lines }
  const ignoreCase = request.case !== true
  if (request.regex === true) {
    const grep = new Grep(request.text, { ignoreCase })
    return { find: lines => grep.matching(lines), prefilter: grep.prefilter }
  }
  const fold = (text: string) => (ignoreCase ? text.toLowerCase() : text)
  const wanted = fold(request.text)
  const texts = searchablePart(request.text, ignoreCase)
  return {
    find: lines => lines.filter(({ text }) => fold(text).includes(wanted)),
    prefilter: texts && new Prefilter(texts, ignoreCase),
  }
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
  #blocks: AsyncGenerator<Block> | undefined
  /** The block before which the next one is: its first lines may begin there. */
  #newer: Block | undefined
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
    this.#blocks ??= this.#open()
    const next = await this.#blocks.next()
    const older = next.done === true ? undefined : next.value
    const block = this.#newer
    this.#newer = older
    if (older === undefined) this.isDone = true
    if (block === undefined) return []
    this.scannedBytes += block.bytes.length
    // Lines that are in parts begin or end in a block that may match.
    const beginnings = older?.mayMatch === true ? older.bytes : undefined
    if (!block.mayMatch && beginnings === undefined) return this.#pass(timeOf(block.bytes))
    return this.#linesOf(block.bytes, beginnings)
  }

  async close(): Promise<void> {
    await this.#blocks?.return(undefined)
  }

  /** Notes the time of a block's oldest line. */
  #pass(oldest = unread): readonly [] {
    const { since } = this.#filter
    if (oldest < this.scannedTo) this.scannedTo = oldest
    if (since !== undefined && oldest < since) this.isDone = true
    return []
  }

  #linesOf(bytes: Buffer, older: Buffer = Buffer.alloc(0)): readonly LogLine[] {
    const joiner = new LineJoiner()
    // Lines that begin in the older block are completed here.
    joiner.push(older)
    const lines = joiner.push(bytes)
    this.#pass(lines.map(({ time }) => time).toSorted()[0])
    return selectLines(lines, this.#filter)
      .map(line => ({ ...line, service: this.#service }))
      .reverse()
  }

  async *#open(): AsyncGenerator<Block> {
    const newest = await openNewestSegment(this.#file)
    if (newest === undefined) return
    let end: End = { segment: newest, size: await newest.size() }
    try {
      const { until, prefilter } = this.#filter
      if (until !== undefined) {
        end = await findEnd(this.#file, newest, end.size, until)
        await newest.close()
      }
      yield* blocksBefore(this.#file, end.segment, end.size, prefilter)
    } finally {
      await end.segment.close()
    }
  }
}
