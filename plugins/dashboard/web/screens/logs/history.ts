import type { LogLine } from '../../../../../kernel/events.ts'
import { lines, searchOf } from '../../api.ts'
import { type Row, rowOf } from './row.ts'

/** Later than every line: unfinished lines are left out, as in the stream. */
export const endOfTime = '9999-12-31T23:59:59.999999Z'

/** What to read. */
export interface HistoryQuery {
  /** Keys; none: all. */
  readonly services: readonly string[]
  readonly since?: string
  readonly until?: string
  /** The last lines until a time. */
  readonly tail?: number
  /** The first lines since a time. */
  readonly head?: number
  readonly signal: AbortSignal
}

/** Returns the part of a query that names services. */
export function servicesQuery(services: readonly string[]) {
  return { path: '/', service: services, ...(services.length === 0 ? { all: true } : {}) }
}

/** Reads lines of services, merged by time, both times included. */
export async function readHistory(query: HistoryQuery): Promise<readonly Row[]> {
  const { services, since, until = endOfTime, tail, head = Number.POSITIVE_INFINITY, signal } = query
  const words = searchOf({ ...servicesQuery(services), since, until, tail })
  const stop = new AbortController()
  const rows: Row[] = []
  for await (const line of lines<LogLine>(`/logs?${words}`, undefined, AbortSignal.any([signal, stop.signal]))) {
    rows.push(rowOf(line))
    if (rows.length < head) continue
    stop.abort()
    break
  }
  return rows
}
