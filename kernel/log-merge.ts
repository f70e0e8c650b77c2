import type { LogLine } from './events.ts'
import { Grep } from './grep.ts'
import { LogCursor } from './log-reader.ts'
import type { ServiceLog } from './logs.ts'

export interface LogsRequest {
  readonly sources: readonly { readonly service: string; readonly log: ServiceLog }[]
  readonly tail?: number | undefined
  readonly since?: string | undefined
  readonly grep?: string | undefined
  readonly follow: boolean
  readonly signal: AbortSignal
}

export async function* readLogs(request: LogsRequest): AsyncGenerator<readonly LogLine[]> {
  const { sources, tail = Number.MAX_SAFE_INTEGER, since, grep } = request
  const filter = grep === undefined ? undefined : new Grep(grep)
  const all: LogLine[] = []
  for (const { service, log } of sources) {
    const cursor = new LogCursor(log.file)
    const lines = await cursor.last(tail, {
      ...(since === undefined ? {} : { since }),
      ...(filter === undefined ? {} : { grep: lines => filter.matching(lines) }),
    })
    await cursor.close()
    for (const line of lines) all.push({ ...line, service })
  }
  all.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0))
  yield all.slice(-tail)
}
