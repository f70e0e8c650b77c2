import { type Block, blocksBefore, scanSize } from './blocks.ts'
import { entriesIn, newline } from './lines.ts'
import { type End, endsBefore, type LogSegment } from './segments.ts'

/** So much of the end of a log is searched entry by entry: most requests are for recent lines. */
const exactLength = 4 * scanSize
/** An entry begins in so many bytes, unless it is long; one has 16 KB of text at most. */
const sampleLengths = [4 * 1024, 32 * 1024]

/**
 * Finds the end of what must be read for all lines until a time: the last block with an entry of that time or before,
 * and one more, as a line may go on there. Searches backwards from `end` (bytes) of the newest segment: the clock may
 * have been set back. A setback in less than a megabyte of old lines is not found.
 */
export async function findEnd(file: string, newest: LogSegment, end: number, until: string): Promise<End> {
  let last = { segment: newest.share(), size: end }
  const isFound = async (limit: number) => {
    let length = 0
    for await (const { segment, offset, bytes } of blocksBefore(file, last.segment, last.size)) {
      if (hasEntryUntil(bytes, until)) return true
      await last.segment.close()
      last = { segment: segment.share(), size: offset + bytes.length }
      length += bytes.length
      if (length >= limit) return false
    }
    await last.segment.close()
    last = { segment: newest.share(), size: 0 }
    return true
  }
  try {
    if (await isFound(exactLength)) return last
    const { segment } = last
    last = await skipBack(file, segment, last.size, time => time > until)
    await segment.close()
    await isFound(Number.POSITIVE_INFINITY)
    return last
  } catch (error) {
    await last.segment.close()
    throw error
  }
}

/**
 * Skips entries backwards from `end` (bytes) of a segment while those at every megabyte are beyond a time, which takes
 * 15 ms for a gigabyte. Returns the oldest such place.
 */
export async function skipBack(
  file: string,
  newest: LogSegment,
  end: number,
  isBeyond: (time: string) => boolean,
): Promise<End> {
  let last = { segment: newest.share(), size: end }
  try {
    for await (const { segment, offset, time } of samplesBefore(file, newest, end)) {
      if (!isBeyond(time)) break
      await last.segment.close()
      last = { segment: segment.share(), size: offset }
    }
  } catch (error) {
    await last.segment.close()
    throw error
  }
  return last
}

/** Yields an entry of every megabyte, backwards, and the first one of each segment. */
async function* samplesBefore(
  file: string,
  newest: LogSegment,
  newestEnd: number,
): AsyncGenerator<Pick<Block, 'segment' | 'offset'> & { readonly time: string }> {
  for await (const { segment, size } of endsBefore(file, { segment: newest, size: newestEnd })) {
    for (let at = size; at > 0; ) {
      at = Math.max(0, at - scanSize)
      const sample = await sampleAt(segment, at)
      if (sample !== undefined && sample.offset < size) yield { segment, ...sample }
    }
  }
}

/** Returns the time and place of the first entry that begins after an offset, or at 0. */
async function sampleAt(
  segment: LogSegment,
  from: number,
): Promise<{ readonly offset: number; readonly time: string } | undefined> {
  for (const length of sampleLengths) {
    const block = Buffer.allocUnsafe(length)
    const bytes = block.subarray(0, await segment.read(block, from))
    const start = from === 0 ? 0 : bytes.indexOf(newline) + 1
    if (from > 0 && start === 0) continue
    const time = timeOf(bytes.subarray(start))
    if (time !== undefined) return { offset: from + start, time }
  }
  return undefined
}

/** Returns the time of the entry that begins with the bytes; undefined if none does. */
export function timeOf(bytes: Buffer): string | undefined {
  const [first] = entriesIn(bytes)
  return first?.time
}

/** Returns whether an entry has a time or an earlier one. Compares bytes: there may be many such blocks. */
function hasEntryUntil(bytes: Buffer, time: string): boolean {
  const until = Buffer.from(time)
  for (let at = 0; at < bytes.length; ) {
    if (bytes.compare(until, 0, until.length, at, Math.min(bytes.length, at + until.length)) <= 0) return true
    const next = bytes.indexOf(newline, at)
    if (next < 0) return false
    at = next + 1
  }
  return false
}
