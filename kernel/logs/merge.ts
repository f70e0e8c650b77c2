import { LocaldError } from '../errors.ts'
import type { LogLine } from '../events.ts'
import { deferred, Turns } from '../system/async.ts'
import { type Anchor, AnchorSkip } from './anchor.ts'
import { LogCursor, type Start } from './cursor.ts'
import { Grep } from './grep.ts'
import { type OutputLine, stampOf } from './lines.ts'
import { Previews } from './previews.ts'
import { type LineFilter, select } from './seek.ts'
import type { ServiceLog } from './service-log.ts'

/** A log to read. `service`: the key that its lines are given; `after`: only what follows it, whatever the request's `since`. */
export interface LogSource {
  readonly service: string
  readonly log: ServiceLog
  readonly after?: Anchor | undefined
}

/** What to read. */
export interface LogsRequest {
  readonly sources: readonly LogSource[]
  /** Only the last so many lines of all together, or of each. */
  readonly tail?: number | undefined
  readonly each?: boolean | undefined
  /** RFC 3339. */
  readonly since?: string | undefined
  /** A JavaScript regular expression. */
  readonly grep?: string | undefined
  /** Goes on with what is written from now on, until aborted. */
  readonly follow: boolean
  /** Gives unfinished lines in pieces before they end, when followed without `grep`. */
  readonly partial?: boolean | undefined
  readonly signal: AbortSignal
}

/** At most this many lines are given at once, */
const batchSize = 1000
/** and of long ones as many as reach this: UTF-16 units. */
const batchLength = 512 * 1024
/** With so many it does not read on. */
const enough = 200

/** However many read, and however fast is written: each reads a batch when it is its turn. */
const turns = new Turns()

/**
 * Lines of several services, merged by time, in batches. Nothing is read before it is asked for, and of each log only a block is held:
 * a slow reader costs no memory and holds up no service; what falls off a log's cap before it is read is lost to it. A line without an
 * end (a prompt) is given at the end when not followed; followed, when it ends, and with `partial` in pieces before that. USAGE for a
 * bad `grep` or `since`.
 */
export async function* readLogs(request: LogsRequest): AsyncGenerator<readonly LogLine[]> {
  const { sources, tail, each, follow, signal } = request
  const grep = request.grep === undefined ? undefined : new Grep(request.grep)
  const bell = new Bell(signal)
  const previews = request.partial === true && grep === undefined ? new Previews() : undefined
  const filter = filterOf(request.since, grep)
  const readers = sources.map(({ service, log, after }) => {
    const own = after === undefined ? filter : { ...filter, since: undefined }
    return new Source({ service, log, after, filter: own, follow, signal })
  })
  const quiet = follow ? readers.map(reader => reader.log.watch(() => bell.ring(reader))) : []
  try {
    let total = 0
    for (const reader of readers) total += await reader.seek(tail, each === true)
    let skip = tail === undefined || each === true ? 0 : Math.max(0, total - tail)
    for (let batch = await merged(readers); !signal.aborted; batch = await merged(readers)) {
      if (readers.some(({ cursor }) => cursor.lost)) skip = 0
      const wanted = batch.slice(skip)
      skip = Math.max(0, skip - batch.length)
      if (wanted.length > 0) yield wanted
      if (batch.length > 0) continue
      if (!follow) return
      if (!(await bell.rung(previews?.wait(readers)))) yield previews?.take(readers) ?? []
    }
  } finally {
    for (const stop of quiet) stop()
    bell.end()
    await Promise.all(readers.map(({ cursor }) => cursor.close()))
  }
}

function filterOf(since: string | undefined, grep: Grep | undefined): LineFilter {
  const stamp = since === undefined ? undefined : stampOf(since)
  if (since !== undefined && stamp === undefined) {
    throw new LocaldError('USAGE', `'${since}' is no time`, { hint: 'Use one such as 2026-11-24T03:44:10Z.' })
  }
  return { since: stamp, grep: grep === undefined ? undefined : lines => grep.matching(lines) }
}

interface SourceInput {
  readonly service: string
  readonly log: ServiceLog
  readonly after: Anchor | undefined
  readonly filter: LineFilter
  readonly follow: boolean
  readonly signal: AbortSignal
}

/** One log under way: a block of its lines, and whether there may be more. */
class Source {
  readonly cursor: LogCursor
  readonly log: ServiceLog
  readonly #input: SourceInput
  #lines: readonly OutputLine[] = []
  #at = 0
  #isDrained = false
  /** Lines that come before the last `tail` of this one. */
  #skip = 0
  /** What the reader has already. */
  #had: AnchorSkip | undefined

  constructor(input: SourceInput) {
    this.#input = input
    this.log = input.log
    this.cursor = new LogCursor(input.log.file)
  }

  /** With `each` it begins with its own last `tail` lines, else with at least those; how many lines follow. */
  async seek(tail: number | undefined, each: boolean): Promise<number> {
    const { filter, follow, after } = this.#input
    const start = { ...filter, tail, follow }
    const found = after === undefined ? await this.cursor.seek(start) : await this.#seekAfter(after, start)
    if (each && tail !== undefined) this.#skip = Math.max(0, found - tail)
    return found
  }

  async #seekAfter(after: Anchor, start: Start): Promise<number> {
    const { isFound, count } = await this.cursor.seekAnchor(after, start)
    // Where it is not in the log any more, all that is there is newer.
    this.#had = isFound ? new AnchorSkip(after) : undefined
    return count
  }

  /** There may be more again. */
  wake(): void {
    this.#isDrained = false
  }

  /** Whether it has to read before its next line is known. */
  get isEmpty(): boolean {
    return this.#at >= this.#lines.length && !this.#isDrained
  }

  /** Reads on until there is a line, or none for now. */
  async fill(): Promise<void> {
    const { filter, follow, signal } = this.#input
    while (this.isEmpty && !signal.aborted) {
      // Told first: a write while it reads must not be missed.
      this.#isDrained = true
      const lines = await this.cursor.next()
      if (lines.length > 0) this.#isDrained = false
      const next = lines.length > 0 || follow ? lines : this.cursor.peek()
      this.#lines = select(this.#had?.rest(next) ?? next, filter)
      this.#at = this.cursor.lost ? 0 : Math.min(this.#skip, this.#lines.length)
      this.#skip -= this.#at
    }
  }

  /** The time of its next line; undefined when there is none for now. */
  get time(): string | undefined {
    return this.#lines[this.#at]?.time
  }

  /** Lines without an end, as they are so far. */
  unfinished(): readonly LogLine[] {
    const { service, filter } = this.#input
    return select(this.cursor.peek(), filter).map(line => ({ ...line, service }))
  }

  take(): LogLine | undefined {
    const line = this.#lines[this.#at++]
    return line === undefined ? undefined : { ...line, service: this.#input.service }
  }
}

/** The next lines of all, oldest first; empty when there are none for now. A source whose block is used up reads on first. */
async function merged(sources: readonly Source[]): Promise<readonly LogLine[]> {
  await turns.next()
  const batch: LogLine[] = []
  let length = 0
  while (batch.length < batchSize && length < batchLength) {
    let first: { readonly source: Source; readonly time: string } | undefined
    for (const source of sources) {
      // A block that is used up is given before the next is read: less is held at a time, however many read.
      if (source.isEmpty && batch.length >= enough) return batch
      if (source.isEmpty) await source.fill()
      const { time } = source
      if (time !== undefined && (first === undefined || time < first.time)) first = { source, time }
    }
    const line = first?.source.take()
    if (line === undefined) return batch
    batch.push(line)
    length += line.text.length
  }
  return batch
}

/** Told by any log that it was written to; waited for by the reader. */
class Bell {
  readonly #signal: AbortSignal
  #next = deferred<boolean>()
  readonly #ring = () => this.#next.resolve(true)

  constructor(signal: AbortSignal) {
    this.#signal = signal
    signal.addEventListener('abort', this.#ring, { once: true })
  }

  ring(source: Source): void {
    source.wake()
    this.#ring()
  }

  /** Resolves when it was rung since the last time, or when aborted; with false after a time (ms), if there is one. */
  async rung(limitMs?: number): Promise<boolean> {
    if (this.#signal.aborted) return true
    const next = this.#next
    const timer = limitMs === undefined ? undefined : setTimeout(() => next.resolve(false), limitMs)
    const isRung = await next.promise
    clearTimeout(timer)
    this.#next = deferred<boolean>()
    return isRung
  }

  end(): void {
    this.#signal.removeEventListener('abort', this.#ring)
  }
}
