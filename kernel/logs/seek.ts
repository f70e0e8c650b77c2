import type { Anchor } from './anchor.ts'
import { LineJoiner, longestLine, type OutputLine, streamsIn } from './lines.ts'
import { LogSegment, openAdjacentSegment } from './segments.ts'

/** Bytes read from a file at once. */
export const blockSize = 64 * 1024
const newline = 0x0a
/** A stream without an entry in this many bytes is unlikely to have an unfinished line. */
const silentLength = 4 * blockSize

/** Selects lines. `since` and `until` are times as in the files, both included. */
export interface LineFilter {
  readonly since?: string | undefined
  readonly until?: string | undefined
  readonly grep?: ((lines: readonly OutputLine[]) => readonly OutputLine[]) | undefined
}

/** A place in a log, at the start of an entry; `before` are the bytes before it, oldest first. */
export interface Place {
  readonly segment: LogSegment
  readonly offset: number
  /** Completes a line that starts before the place and ends after it. */
  readonly before: readonly Buffer[]
}

/** Complete entries at a place. */
interface Block {
  readonly segment: LogSegment
  readonly offset: number
  readonly bytes: Buffer
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
  { tail = Number.POSITIVE_INFINITY, ...filter }: LineFilter & { readonly tail?: number | undefined },
): Promise<Place> {
  let found = 0
  const hasEnough = (bytes: Buffer) => {
    const lines = linesIn(bytes)
    // At a block's edges a line of each stream may be split, and its pieces may match where the line does not.
    found += Math.max(0, selectLines(lines, filter).length - 2 * streamsIn(bytes).seen.size - 1)
    const [first] = lines
    return found >= tail || (filter.since !== undefined && first !== undefined && first.time < filter.since)
  }
  return await placeWhere(file, newest, end, bytes => (hasEnough(bytes) ? 0 : undefined), tail <= 0)
}

/**
 * Finds the end of what must be read for all lines until a time: the last block with an entry of that time or before,
 * and one more, as a line may go on there. Searches backwards from `end` (bytes) of the newest segment: the clock may
 * have been set back.
 */
export async function findEnd(
  file: string,
  newest: LogSegment,
  end: number,
  until: string,
): Promise<{ readonly segment: LogSegment; readonly size: number }> {
  let last = { segment: newest.share(), size: end }
  for await (const { segment, offset, bytes } of blocksBefore(file, newest, end)) {
    if (hasEntryUntil(bytes, until)) return last
    await last.segment.close()
    last = { segment: segment.share(), size: offset + bytes.length }
  }
  await last.segment.close()
  return { segment: newest.share(), size: 0 }
}

/** Returns whether an entry has a time or an earlier one. Compares bytes: there may be many such blocks. */
export function hasEntryUntil(bytes: Buffer, time: string): boolean {
  const until = Buffer.from(time)
  for (let at = 0; at < bytes.length; ) {
    if (bytes.compare(until, 0, until.length, at, Math.min(bytes.length, at + until.length)) <= 0) return true
    const next = bytes.indexOf(newline, at)
    if (next < 0) return false
    at = next + 1
  }
  return false
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

/** Yields blocks of complete entries backwards from the end of a segment, then those of older segments. */
export async function* blocksBefore(file: string, newest: LogSegment, newestEnd: number): AsyncGenerator<Block> {
  let segment = newest.share()
  let end = newestEnd
  try {
    for (;;) {
      for (let length = blockSize; end > 0; ) {
        const from = Math.max(0, end - length)
        const block = Buffer.allocUnsafe(end - from)
        const bytes = block.subarray(0, await segment.read(block, from))
        const start = from === 0 ? 0 : bytes.indexOf(newline) + 1
        const isCut = from > 0 && (start === 0 || start === bytes.length)
        length = isCut ? length * 2 : blockSize
        if (isCut) continue
        end = from + start
        yield { segment, offset: end, bytes: bytes.subarray(start) }
      }
      const older = await openAdjacentSegment(file, segment, -1)
      if (!(older instanceof LogSegment)) return
      await segment.close()
      segment = older
      end = await segment.size()
    }
  } finally {
    await segment.close()
  }
}

function linesIn(chunk: Buffer): readonly OutputLine[] {
  const joiner = new LineJoiner()
  const lines = joiner.push(chunk)
  return [...lines, ...joiner.peek()]
}
