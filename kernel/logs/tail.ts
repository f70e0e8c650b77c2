import { LogCursor } from './cursor.ts'
import { stripAnsi } from './plain-text.ts'

/** A process may print before its start time is recorded, ms. The previous run exited longer ago than that. */
const slackMs = 20

/**
 * Reads the last lines of a log since a time (ms since the epoch), without ANSI codes; returns none if it is
 * unreadable.
 */
export async function logTail(file: string, sinceMs: number, count: number): Promise<readonly string[]> {
  const cursor = new LogCursor(file)
  try {
    const lines = (await cursor.last(count)).filter(({ time }) => Date.parse(time) >= sinceMs - slackMs)
    return lines.map(line => stripAnsi(line.text))
  } catch {
    return []
  } finally {
    await cursor.close()
  }
}
