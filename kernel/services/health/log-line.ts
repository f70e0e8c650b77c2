import { LogCursor } from '../../logs/cursor.ts'
import { Grep } from '../../logs/grep.ts'
import { stampOf } from '../../logs/lines.ts'
import type { ServiceLog } from '../../logs/service-log.ts'
import { unlessAborted, withResolvers } from '../../system/async.ts'
import type { ProbeResult } from './probes.ts'

/** Reads the log from the instance's start until a line, or an unfinished one, matches. */
export async function waitForLine(
  log: ServiceLog,
  pattern: string,
  startedMs: number,
  signal: AbortSignal,
): Promise<ProbeResult | undefined> {
  const grep = new Grep(pattern)
  const cursor = new LogCursor(log.file)
  const since = stampOf(new Date(startedMs).toISOString())
  // All lines after the present end are of this instance, even if the clock is set meanwhile.
  let isAtEnd = false
  const isFresh = ({ time }: { readonly time: string }) => isAtEnd || since === undefined || time >= since
  let wake = withResolvers<void>()
  const unwatch = log.watch(() => wake.resolve())
  try {
    await cursor.seek({ since, follow: true })
    while (!signal.aborted) {
      wake = withResolvers()
      const lines = await cursor.next()
      const shown = lines.length > 0 ? lines : cursor.peek()
      if (grep.matching(shown.filter(isFresh)).length > 0) return { ok: true, detail: 'printed the expected line' }
      if (lines.length > 0) continue
      isAtEnd = true
      await unlessAborted(wake.promise, signal)
    }
    return undefined
  } finally {
    unwatch()
    await cursor.close()
  }
}
