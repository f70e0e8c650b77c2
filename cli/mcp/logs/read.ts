import { LocaldError } from '../../../kernel/errors.ts'
import type { LogLine } from '../../../kernel/events.ts'
import type { LogLevel, LogSearchLine, LogSearchProgress } from '../../../kernel/protocol.ts'
import type { Client } from '../../daemon/client.ts'

/** Which lines are wanted. */
export interface LinesQuery {
  readonly path: string
  readonly keys: readonly string[]
  /** A regular expression; upper and lower case are alike. */
  readonly grep?: string | undefined
  readonly level?: LogLevel | undefined
  /** UTC ISO 8601. */
  readonly since?: string | undefined
  readonly until?: string | undefined
  /** Lines that are read at most. */
  readonly most: number
  /** How long is searched at most; default `budgetMs`. */
  readonly limitMs?: number | undefined
}

/** Lines, the oldest first, and how far they reach. */
export interface ReadLines {
  readonly lines: readonly LogLine[]
  /** Of a search that did not reach the oldest line. */
  readonly progress: LogSearchProgress | undefined
  /** Whether there may be older ones. */
  readonly isCut: boolean
}

/** So long is searched: an answer in less than 300 ms, whatever the size of the log. ms */
const budgetMs = 120
/** Reads the newest lines; of a search, as many as there is time for. */
export async function readLines(daemon: Client, query: LinesQuery): Promise<ReadLines> {
  if (query.keys.length === 0) return { lines: [], progress: undefined, isCut: false }
  const { grep, level } = query
  return grep === undefined && level === undefined ? await readTail(daemon, query) : await search(daemon, query)
}

async function readTail(daemon: Client, { path, keys, since, until, most }: LinesQuery): Promise<ReadLines> {
  const query = { path, service: keys, tail: most, since, until }
  const lines: LogLine[] = []
  const stream = daemon.stream<LogLine>({ method: 'GET', path: '/v1/logs', query, doing: 'reading logs' })
  for await (const batch of stream.batches) lines.push(...batch)
  return { lines, progress: undefined, isCut: lines.length >= most }
}

async function search(daemon: Client, asked: LinesQuery): Promise<ReadLines> {
  const { path, keys, grep, level, since, until, most, limitMs = budgetMs } = asked
  const what = grep === undefined ? { level } : { text: grep, regex: true, level }
  const query = { path, service: keys, limit: most, since, until, ...what }
  const stream = daemon.stream<LogSearchLine>({ method: 'GET', path: '/v1/logs/search', query, doing: 'reading logs' })
  const lines: LogLine[] = []
  let progress: LogSearchProgress | undefined
  let isCut = true
  const endMs = performance.now() + limitMs
  try {
    for await (const batch of stream.batches) {
      for (const part of batch) {
        if ('match' in part) lines.push(part.match)
        else if ('error' in part) throw LocaldError.fromJSON(part.error)
        else {
          progress = 'done' in part ? part.done : part.progress
          if ('done' in part) isCut = !part.done.isComplete
        }
      }
      if (performance.now() > endMs) break
    }
  } finally {
    stream.close()
  }
  // A search returns blocks of single services.
  return { lines: lines.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0)), progress, isCut }
}
