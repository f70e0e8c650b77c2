import type { Anchor } from './anchor.ts'
import { blockSize, blocksBefore } from './blocks.ts'
import { LineJoiner, longestLine, newline, type OutputLine, streamsIn } from './lines.ts'
import type { Prefilter } from './prefilter.ts'
import type { End, LogSegment } from './segments.ts'
import { skipBack, timeOf } from './time-seek.ts'

/** A stream without an entry in this many bytes is unlikely to have an unfinished line. */
const silentLength = 4 * blockSize

/** Selects lines. `since` and `until` are times as in the files, both included. */
export interface LineFilter {
  readonly since?: string | undefined
  readonly until?: string | undefined
  readonly grep?: ((lines: readonly OutputLine[]) => readonly OutputLine[]) | undefined
  /** Finds blocks without a line for `grep`. */
  readonly prefilter?: Prefilter | undefined
  /** Stops a search for a place early. */
  readonly signal?: AbortSignal | undefined
}

/** A place in a log, at the start of an entry; `before` are the bytes before it, oldest first. */
export interface Place {
  readonly segment: LogSegment
  readonly offset: number
  /** Completes a line that starts before the place and ends after it. */
  readonly before: readonly Buffer[]
}

/** Returns the lines that match a filter. */
export function selectLines(lines: readonly OutputLine[], { since, until, grep }: LineFilter): readonly OutputLine[] {
  const recent = since === undefined ? lines : lines.filter(line => line.time >= since)
  const between = until === undefined ? recent : recent.filter(line => line.time <= until)
  return grep === undefined ? between : grep(between)
}

/**
 * Finds a place before the last `tail` matching lines and before all lines since a time; a few more lines may follow
 * it. Searches backwards from `end` (bytes) of the newest segment, in bounded memory.
 */
export async function findStart(
  file: string,
  newest: LogSegment,
  end: number,
  { tail, ...filter }: LineFilter & { readonly tail?: number | undefined },
): Promise<Place> {
  const { since, prefilter, signal } = filter
  const isBefore = (time: string | undefined) => since !== undefined && time !== undefined && time < since
  if (tail === undefined) {
    const from = await skipBack(file, newest, end, time => !isBefore(time))
    return await placeFrom(file, from, bytes => (isBefore(linesIn(bytes)[0]?.time) ? 0 : undefined))
  }
  let found = 0
  const hasEnough = (bytes: Buffer) => {
    const lines = linesIn(bytes)
    // At a block's edges a line of each stream may be split, and its pieces may match where the line does not.
    found += Math.max(0, selectLines(lines, filter).length - 2 * streamsIn(bytes).seen.size - 1)
    return found >= tail || isBefore(lines[0]?.time) || signal?.aborted === true
  }
  if (prefilter === undefined || tail <= 0)
    return await placeWhere(file, newest, end, bytes => (hasEnough(bytes) ? 0 : undefined), tail <= 0)
  let first = { segment: newest.share(), size: end }
  try {
    for await (const { segment, offset, bytes, mayMatch } of blocksBefore(file, newest, end, prefilter)) {
      if (signal?.aborted === true || (!mayMatch && isBefore(timeOf(bytes)))) break
      if (!mayMatch) continue
      await first.segment.close()
      first = { segment: segment.share(), size: offset }
      if (hasEnough(bytes)) break
    }
  } catch (error) {
    await first.segment.close()
    throw error
  }
  return await placeFrom(file, first)
}

/** As `placeWhere`, from an end, which it closes; without `found` the end is the place. */
async function placeFrom(
  file: string,
  { segment, size }: End,
  found?: (bytes: Buffer) => number | undefined,
): Promise<Place> {
  try {
    return await placeWhere(file, segment, size, found ?? (() => undefined), found === undefined)
  } finally {
    await segment.close()
  }
}

/** Finds the first entry with an anchor's time and stream; returns undefined without one. */
export async function findAnchor(
  file: string,
  newest: LogSegment,
  end: number,
  { time, stream }: Anchor,
): Promise<Place | undefined> {
  const head = Buffer.from(`${time} ${stream} `)
  let isFound = false
  const found = (bytes: Buffer) => {
    const at = startOf(bytes, head)
    // More such entries may precede one at the very start of a block.
    const isHere = at !== undefined ? at > 0 : isFound
    isFound ||= at !== undefined
    return isHere ? (at ?? bytes.length) : undefined
  }
  const place = await placeWhere(file, newest, end, found)
  if (isFound) return place
  await place.segment.close()
  return undefined
}

/** Returns the offset of the first entry that starts with a text. */
function startOf(bytes: Buffer, head: Buffer): number | undefined {
  for (let at = bytes.indexOf(head); at >= 0; at = bytes.indexOf(head, at + 1)) {
    if (at === 0 || bytes[at - 1] === newline) return at
  }
  return undefined
}

/**
 * Searches blocks backwards from `end` (bytes) of the newest segment until `found` returns an offset in one; returns
 * the oldest place if it never does. With `isFound` the end is the place.
 */
async function placeWhere(
  file: string,
  newest: LogSegment,
  end: number,
  found: (bytes: Buffer) => number | undefined,
  isFound = false,
): Promise<Place> {
  let place: Omit<Place, 'before'> = { segment: newest.share(), offset: end }
  let isPlaced = isFound
  const before: Buffer[] = []
  const open = new Set<string>()
  const closed = new Set<string>()
  let length = 0
  try {
    for await (const { segment, offset, bytes } of blocksBefore(file, newest, end)) {
      for (const stream of streamsIn(bytes).seen) open.add(stream)
      let rest = bytes
      if (!isPlaced) {
        const at = found(bytes)
        isPlaced = at !== undefined
        await place.segment.close()
        place = { segment: segment.share(), offset: offset + (at ?? 0) }
        rest = bytes.subarray(0, at ?? 0)
      }
      if (rest.length === 0) continue
      before.unshift(rest)
      length += rest.length
      for (const stream of streamsIn(rest).completed) closed.add(stream)
      if (length >= longestLine || (length >= silentLength && [...open].every(stream => closed.has(stream)))) break
    }
  } catch (error) {
    // On a pattern's timeout or a read error, no caller has the segment to close it.
    await place.segment.close()
    throw error
  }
  return { ...place, before }
}

function linesIn(chunk: Buffer): readonly OutputLine[] {
  const joiner = new LineJoiner()
  const lines = joiner.push(chunk)
  return [...lines, ...joiner.peek()]
}
