import type { LastEntry } from '../contract/plugin.ts'
import { blocksBefore } from './blocks.ts'
import { entriesIn, newline } from './lines.ts'
import { openNewestSegment } from './segments.ts'

/**
 * Finds the last entry of one stream, or of stdout and stderr, and how many of exactly its time are at the log's end.
 * Searches backwards, in bounded memory, also through the older files of a stream that is silent for long.
 */
export async function findLastEntry(file: string, stream?: 'stdout' | 'stderr'): Promise<LastEntry | undefined> {
  const newest = await openNewestSegment(file)
  if (newest === undefined) return undefined
  const streams = stream === undefined ? ['stdout', 'stderr'] : [stream]
  try {
    let last: LastEntry | undefined
    for await (const { bytes } of blocksBefore(file, newest, await newest.size())) {
      // Most blocks have nothing of a silent stream, and need no parsing.
      if (!streams.some(name => bytes.includes(` ${name} `))) continue
      for (const time of timesIn(bytes, streams).reverse()) {
        if (last !== undefined && last.time !== time) return last
        last = { time, count: (last?.count ?? 0) + 1 }
      }
    }
    return last
  } finally {
    await newest.close()
  }
}

/** Returns the times of the complete entries of some streams. */
function timesIn(bytes: Buffer, streams: readonly string[]): string[] {
  const times: string[] = []
  for (const entry of entriesIn(bytes.subarray(0, bytes.lastIndexOf(newline) + 1))) {
    if (streams.includes(entry.stream)) times.push(entry.time)
  }
  return times
}
