import { LocaldError, messageOf } from '../../../kernel/errors.ts'
import type { LogLine } from '../../../kernel/events.ts'
import type { LogSearchLine, LogSearchProgress } from '../../../kernel/protocol.ts'
import type { Client, Stream } from '../../daemon/client.ts'
import { Log } from '../model/log.ts'

/** What to search for, and where. */
export interface HistoryQuery {
  readonly daemon: Client
  readonly keys: readonly string[]
  readonly term: string
  /** The time up to which lines are searched; undefined: all. */
  readonly until: string | undefined
  /** Whether a line is among those that are shown already. */
  isKnown(line: LogLine): boolean
  readonly keepsColour: boolean
}

/** What is called with what comes. */
export interface HistoryEvents {
  /** There is something else to show. */
  changed(): void
  /** The line of this id is to be shown. */
  reached(log: Log, id: number): void
  /** There is no older line with the text, or the search has failed. */
  stopped(problem: string | undefined): void
}

/** So many lines are read before and after one that was found. */
const neighbours = 500
/** Lines that were written at once, up to the one that was found. */
const mostRead = 100_000
/** Matches of one request; ten times as many where lines of one time have more. */
const mostMatches = 1000

/** Searches lines that are older than those of the monitor, newest first, and shows the found ones among their neighbours. */
export class History {
  readonly #query: HistoryQuery
  readonly #events: HistoryEvents
  /** Newest first. */
  readonly #matches: LogLine[] = []
  #search: Stream<LogSearchLine> | undefined
  #progress: LogSearchProgress | undefined
  /** Lines from this time on were searched; the matches before it may not be all. */
  #boundary = later
  /** The time of the match that came last. */
  #lastFound = ''
  #isComplete = false
  #isSearching = false
  #isClosed = false
  /** The place in the matches; -1: before the first. */
  #at = -1
  /** Whether the next match is waited for. */
  #isWaiting = false
  #turn = 0
  /** The lines around the current match. */
  log: Log | undefined

  constructor(query: HistoryQuery, events: HistoryEvents) {
    this.#query = query
    this.#events = events
    void this.#run(query.until)
  }

  /** How many matches there are so far, the number of the current one from 1, and what is known of older ones. */
  get count(): { readonly all: number; readonly at: number; readonly percent: number | undefined; isAll: boolean } {
    const { scannedBytes = 0, totalBytes = 0 } = this.#progress ?? {}
    const percent = totalBytes === 0 ? 0 : Math.floor((100 * scannedBytes) / totalBytes)
    const isAll = this.#isComplete
    return { all: this.#matches.length, at: this.#at + 1, percent: this.#isSearching ? percent : undefined, isAll }
  }

  /** The time of the current match. */
  get time(): string | undefined {
    return this.#matches[this.#at]?.time
  }

  /** Shows the next older match, as soon as it is found. */
  older(): void {
    this.#isWaiting = true
    this.#goOn()
  }

  /** Shows the next newer match; returns whether there is one. */
  newer(): boolean {
    this.#isWaiting = false
    if (this.#at <= 0) return false
    void this.#show(this.#at - 1)
    return true
  }

  close(): void {
    this.#isClosed = true
    this.#turn++
    this.#isWaiting = false
    this.#search?.close()
  }

  #goOn(): void {
    if (!this.#isWaiting) return
    const next = this.#matches[this.#at + 1]
    if (next !== undefined && (this.#isComplete || next.time >= this.#boundary)) {
      this.#isWaiting = false
      void this.#show(this.#at + 1)
    } else if (this.#isComplete) this.#stop(undefined)
    else if (!this.#isSearching) void this.#run(this.#boundary)
  }

  #stop(problem: string | undefined): void {
    this.#isWaiting = false
    this.#events.stopped(problem)
  }

  /** Searches up to a time, newest first, until all is searched or the limit of matches is reached. */
  async #run(until: string | undefined, limit = mostMatches): Promise<void> {
    const { daemon, keys, term } = this.#query
    const query = { path: '/', service: keys, text: term, case: term !== term.toLowerCase(), until, limit }
    const search = daemon.stream<LogSearchLine>({ method: 'GET', path: '/v1/logs/search', query, doing: 'searching' })
    this.#search = search
    this.#isSearching = true
    let problem: string | undefined
    try {
      for await (const lines of search.batches) {
        for (const line of lines) this.#take(line)
        this.#goOn()
        this.#events.changed()
      }
    } catch (error) {
      problem = messageOf(error)
    }
    this.#isSearching = false
    if (this.#isClosed) return
    if (problem !== undefined) this.#isComplete = true
    // Lines of one time have more matches than that.
    const isStuck = !this.#isComplete && this.#boundary === until
    if (isStuck && limit === mostMatches) void this.#run(until, limit * 10)
    else if (isStuck) void this.#run(justBefore(this.#boundary))
    else if (problem === undefined) this.#goOn()
    else this.#stop(problem)
    this.#events.changed()
  }

  #take(line: LogSearchLine): void {
    if ('error' in line) throw LocaldError.fromJSON(line.error)
    if ('match' in line) this.#add(line.match)
    else if ('progress' in line) {
      this.#progress = line.progress
      this.#boundary = line.progress.scannedTo ?? later
    } else {
      this.#progress = line.done
      this.#isComplete = line.done.isComplete
      // At the limit, the last block was not searched further than to its last match.
      this.#boundary = [this.#lastFound, line.done.scannedTo ?? later].sort().at(-1) ?? later
    }
  }

  #add(match: LogLine): void {
    const { until, isKnown } = this.#query
    this.#lastFound = match.time
    if (match.time === until && isKnown(match)) return
    const before = this.#matches.findLastIndex(({ time }) => time >= match.time)
    for (let at = before; this.#matches[at]?.time === match.time; at--) {
      const other = this.#matches[at]
      if (other !== undefined && isSame(other, match)) return
    }
    this.#matches.splice(before + 1, 0, match)
  }

  /** Shows a match, which is the current one from now on. */
  async #show(at: number): Promise<void> {
    const match = this.#matches[at]
    if (match === undefined) return
    this.#at = at
    const turn = ++this.#turn
    try {
      const log = this.#find(this.log, match) === undefined ? await this.#read(match) : this.log
      const id = this.#find(log, match)
      if (turn !== this.#turn || log === undefined || id === undefined) return
      this.log = log
      this.#events.reached(log, id)
    } catch (error) {
      if (turn === this.#turn) this.#stop(messageOf(error))
    }
  }

  #find(log: Log | undefined, match: LogLine): number | undefined {
    if (log === undefined) return undefined
    for (let id = log.buffer.first; id < log.buffer.next; id++) {
      const entry = log.buffer.get(id)
      if (entry !== undefined && isSame(entry, match)) return id
    }
    return undefined
  }

  /** Reads the lines around a match. Lines that were written at once have one time. */
  async #read(match: LogLine): Promise<Log> {
    const older = await this.#lines({ until: justBefore(match.time), tail: neighbours }, () => false)
    let newerCount = 0
    const rest = await this.#lines({ since: match.time }, line => {
      if (newerCount > 0 || isSame(line, match)) newerCount++
      return newerCount > neighbours
    })
    const lines = [...older, ...rest]
    const at = lines.findIndex(line => isSame(line, match))
    const log = new Log(this.#query.keepsColour)
    log.buffer.add(lines.slice(Math.max(0, at - neighbours), at + neighbours))
    log.search.set(this.#query.term)
    return log
  }

  /** Reads lines up to the one that is the last; at most so many. */
  async #lines(
    part: { readonly since?: string; readonly until?: string; readonly tail?: number },
    isLast: (line: LogLine) => boolean,
  ): Promise<readonly LogLine[]> {
    const { daemon, keys } = this.#query
    const query = { path: '/', service: keys, ...part }
    const stream = daemon.stream<LogLine>({ method: 'GET', path: '/v1/logs', query, doing: 'reading logs' })
    const read: LogLine[] = []
    for await (const lines of stream.batches) {
      read.push(...lines)
      if (lines.some(isLast) || read.length > mostRead) break
    }
    stream.close()
    return read
  }
}

/** Returns the time a microsecond earlier. */
function justBefore(time: string): string {
  const [second = '', fraction = '0'] = time.replace('Z', '').split('.')
  const microseconds = Number(fraction.padEnd(6, '0')) - 1
  if (microseconds >= 0) return `${second}.${String(microseconds).padStart(6, '0')}Z`
  return new Date(Date.parse(`${second}Z`) - 1).toISOString().replace('Z', '999Z')
}

/** Later than every time. */
const later = '~'

function isSame(one: Pick<LogLine, 'time' | 'service' | 'text'>, other: LogLine): boolean {
  return one.time === other.time && one.service === other.service && one.text === other.text
}
