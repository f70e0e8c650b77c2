import type { LogEntry } from '../../../kernel/contract/plugin.ts'
import { entryTime } from './entry-time.ts'

const newline = 0x0a
const space = 0x20
const full = 0x46
const partial = 0x50

/**
 * Parses whole lines of a file that conmon wrote, `<RFC 3339 ns> <stream> <F|P> <text>`. What is not such a line, as
 * after a full disk, is left out.
 */
export function criEntries(lines: Buffer): readonly LogEntry[] {
  const entries: LogEntry[] = []
  for (let start = 0; start < lines.length; ) {
    const found = lines.indexOf(newline, start)
    const end = found < 0 ? lines.length : found
    const entry = criEntry(lines, start, end)
    if (entry !== undefined) entries.push(entry)
    start = end + 1
  }
  return entries
}

function criEntry(lines: Buffer, from: number, end: number): LogEntry | undefined {
  // A file that was truncated by hand goes on behind a hole.
  let start = from
  while (start < end && lines[start] === 0) start++
  const afterTime = lines.indexOf(space, start)
  const afterStream = lines.indexOf(space, afterTime + 1)
  if (afterTime < 0 || afterStream < 0 || afterStream + 2 > end) return undefined
  const tag = lines[afterStream + 1]
  const stream = lines.toString('latin1', afterTime + 1, afterStream)
  const time = entryTime(lines.toString('latin1', start, afterTime))
  if (time === undefined || (tag !== full && tag !== partial)) return undefined
  if (stream !== 'stdout' && stream !== 'stderr') return undefined
  return { time, stream, isFull: tag === full, text: lines.subarray(Math.min(afterStream + 3, end), end) }
}
