import type { LogLine } from '../events.ts'
import { Turns, withResolvers } from '../system/async.ts'
import { type Anchor, AnchorSkip } from './anchor.ts'
import { LogCursor, type StartPosition } from './cursor.ts'
import { Grep } from './grep.ts'
import { type OutputLine, parseStamp } from './lines.ts'
import { Previews } from './previews.ts'
import { type LineFilter, selectLines } from './seek.ts'
import type { ServiceLog } from './service-log.ts'

/**
 * A log to read. `service` is the key its lines get; with `after`, only later lines are read, and `since` is ignored. Its
 * own `since` replaces the request's.
 */
export interface LogSource {
  readonly service: string
  readonly log: ServiceLog
  readonly after?: Anchor | undefined
  /** RFC 3339. */
  readonly since?: string | undefined
}

/** The lines to read. */
export interface LogsRequest {
  readonly sources: readonly LogSource[]
  /** Only the last `tail` lines of all logs together, or of each. */
  readonly tail?: number | undefined
  readonly each?: boolean | undefined
  /** RFC 3339. */
  readonly since?: string | undefined
  /** RFC 3339; not with `follow`. Unfinished lines are left out. */
  readonly until?: string | undefined
  /** A JavaScript regular expression. */
  readonly grep?: string | undefined
  /** Whether upper and lower case do not differ for it. */
  readonly ignoreCase?: boolean | undefined
  /** Continues with new lines until aborted. */
  readonly follow: boolean
  /** Returns unfinished lines in pieces; only with `follow` and without `grep`. */
  readonly partial?: boolean | undefined
  readonly signal: AbortSignal
}

/** Most lines in a batch. */
const batchSize = 1000
/** Length at which a batch of long lines is complete, in UTF-16 units. */
const batchLength = 512 * 1024
/** Lines in a batch from which on no further block is read. */
const enoughLines = 200

/** Readers read batches in turn, so that one of a busy log does not delay the others. */
const turns = new Turns()

/**
 * Reads the lines of several services, merged by time, in batches. It reads on demand and holds one block per log, so a
 * slow reader costs no memory and delays no service; it loses what rotation deletes before it is read. An unfinished
 * line (a prompt) comes last without `follow`; with it, when the line is complete, or with `partial` in pieces before
 * that. Throws USAGE for an invalid `grep` or `since`.
 */
export async function* readLogs(request: LogsRequest): AsyncGenerator<readonly LogLine[]> {
  const { sources, tail, each, follow, signal } = request
  const { ignoreCase = false } = request
  const grep = request.grep === undefined ? undefined : new Grep(request.grep, { ignoreCase })
  const wakeUp = new WakeUp(signal)
  const previews = request.partial === true && grep === undefined ? new Previews() : undefined
  const filter = filterOf(request, grep)
  const readers = sources.map(({ service, log, after, since }) => {
    const own = { ...filter, since: after === undefined ? (parseStamp(since) ?? filter.since) : undefined }
    return new SourceReader({ service, log, after, filter: own, follow, signal })
  })
  const unwatch = follow ? readers.map(reader => reader.log.watch(() => wakeUp.notify(reader))) : []
  try {
    let total = 0
    for (const reader of readers) total += await reader.seek(tail, each === true)
    let skip = tail === undefined || each === true ? 0 : Math.max(0, total - tail)
    for (let batch = await mergeNext(readers); !signal.aborted; batch = await mergeNext(readers)) {
      if (readers.some(({ cursor }) => cursor.lost)) skip = 0
      const wanted = batch.slice(skip)
      skip = Math.max(0, skip - batch.length)
      if (wanted.length > 0) yield wanted
      if (batch.length > 0) continue
      if (!follow) return
      if (!(await wakeUp.wait(previews?.timeToNext(readers)))) yield previews?.take(readers) ?? []
    }
  } finally {
    for (const stop of unwatch) stop()
    wakeUp.close()
    await Promise.all(readers.map(({ cursor }) => cursor.close()))
  }
}

function filterOf({ since, until, signal }: LogsRequest, grep: Grep | undefined): LineFilter {
  const matching = grep === undefined ? undefined : (lines: readonly OutputLine[]) => grep.matching(lines)
  return { since: parseStamp(since), until: parseStamp(until), grep: matching, prefilter: grep?.prefilter, signal }
}

interface ReaderInput {
  readonly service: string
  readonly log: ServiceLog
  readonly after: Anchor | undefined
  readonly filter: LineFilter
  readonly follow: boolean
  readonly signal: AbortSignal
}

/** Reads one log: holds a block of its lines and knows whether there may be more. */
class SourceReader {
  readonly cursor: LogCursor
  readonly log: ServiceLog
  readonly #input: ReaderInput
  #lines: readonly OutputLine[] = []
  #at = 0
  #isDrained = false
  /** Lines before the last `tail` of this log. */
  #skip = 0
  /** Skips what the client has already. */
  #anchorSkip: AnchorSkip | undefined

  constructor(input: ReaderInput) {
    this.#input = input
    this.log = input.log
    this.cursor = new LogCursor(input.log.file)
  }

  /** Moves to its last `tail` lines with `each`, else to at least those; returns the number of lines that follow. */
  async seek(tail: number | undefined, each: boolean): Promise<number> {
    const { filter, follow, after } = this.#input
    const start = { ...filter, tail, follow }
    const found = after === undefined ? await this.cursor.seek(start) : await this.#seekAfter(after, start)
    if (each && tail !== undefined) this.#skip = Math.max(0, found - tail)
    return found
  }

  async #seekAfter(after: Anchor, start: StartPosition): Promise<number> {
    const { isFound, count } = await this.cursor.seekAnchor(after, start)
    // If the log no longer has the anchor, all of its lines are newer.
    this.#anchorSkip = isFound ? new AnchorSkip(after) : undefined
    return count
  }

  /** Notes that there may be more lines. */
  wake(): void {
    this.#isDrained = false
  }

  /** Whether it must read before its next line is known. */
  get isEmpty(): boolean {
    return this.#at >= this.#lines.length && !this.#isDrained
  }

  /** Reads until there is a line, or none for now. */
  async fill(): Promise<void> {
    const { filter, follow, signal } = this.#input
    while (this.isEmpty && !signal.aborted) {
      // Set first, so that a write during the read is not missed.
      this.#isDrained = true
      const lines = await this.cursor.next()
      if (lines.length > 0) this.#isDrained = false
      const isWhole = lines.length > 0 || follow || filter.until !== undefined
      const next = isWhole ? lines : this.cursor.peek()
      this.#lines = selectLines(this.#anchorSkip?.rest(next) ?? next, filter)
      this.#at = this.cursor.lost ? 0 : Math.min(this.#skip, this.#lines.length)
      this.#skip -= this.#at
    }
  }

  /** The time of its next line; undefined if there is none for now. */
  get time(): string | undefined {
    return this.#lines[this.#at]?.time
  }

  /** Returns unfinished lines, as they are so far. */
  unfinished(): readonly LogLine[] {
    const { service, filter } = this.#input
    return selectLines(this.cursor.peek(), filter).map(line => ({ ...line, service }))
  }

  take(): LogLine | undefined {
    const line = this.#lines[this.#at++]
    return line === undefined ? undefined : { ...line, service: this.#input.service }
  }
}

/**
 * Merges the next lines of all logs, oldest first; returns none if there are none for now. Reads a block of each
 * exhausted reader first.
 */
async function mergeNext(readers: readonly SourceReader[]): Promise<readonly LogLine[]> {
  await turns.next()
  const batch: LogLine[] = []
  let length = 0
  while (batch.length < batchSize && length < batchLength) {
    let first: { readonly reader: SourceReader; readonly time: string } | undefined
    for (const reader of readers) {
      // Returns what it has before it reads another block, to hold less memory with many readers.
      if (reader.isEmpty && batch.length >= enoughLines) return batch
      if (reader.isEmpty) await reader.fill()
      const { time } = reader
      if (time !== undefined && (first === undefined || time < first.time)) first = { reader, time }
    }
    const line = first?.reader.take()
    if (line === undefined) return batch
    batch.push(line)
    length += line.text.length
  }
  return batch
}

/** Wakes the merge when any log is written to. */
class WakeUp {
  readonly #signal: AbortSignal
  #next = withResolvers<boolean>()
  readonly #wake = () => this.#next.resolve(true)

  constructor(signal: AbortSignal) {
    this.#signal = signal
    signal.addEventListener('abort', this.#wake, { once: true })
  }

  notify(reader: SourceReader): void {
    reader.wake()
    this.#wake()
  }

  /** Resolves with true on a write since the last call or on abort; with false after the limit (ms), if any. */
  async wait(limitMs?: number): Promise<boolean> {
    if (this.#signal.aborted) return true
    const next = this.#next
    const timer = limitMs === undefined ? undefined : setTimeout(() => next.resolve(false), limitMs)
    const isWoken = await next.promise
    clearTimeout(timer)
    this.#next = withResolvers<boolean>()
    return isWoken
  }

  close(): void {
    this.#signal.removeEventListener('abort', this.#wake)
  }
}
