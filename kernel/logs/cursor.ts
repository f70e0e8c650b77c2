import type { Anchor } from './anchor.ts'
import { blockSize, scanSize } from './blocks.ts'
import { LineJoiner, newline, type OutputLine } from './lines.ts'
import type { Prefilter } from './prefilter.ts'
import { findAnchor, findStart, type LineFilter, type Place, selectLines } from './seek.ts'
import { type End, LogSegment, openAdjacentSegment, openNewestSegment, openOldestSegment } from './segments.ts'
import { findEnd } from './time-seek.ts'

/** Where to start reading. */
export interface StartPosition extends LineFilter {
  readonly tail?: number | undefined
  readonly follow?: boolean | undefined
}

/**
 * A position in a rotating log. It holds the file it reads open, so rotation loses nothing: a file that is no longer
 * the current one is read to its end before the next newer one. Only lines that rotation deletes unread are lost.
 */
export class LogCursor {
  readonly #file: string
  #segment: LogSegment | undefined
  #offset = 0
  /** Reused for every read; starts with the bytes of an incomplete entry. */
  #block = Buffer.alloc(0)
  #held = 0
  #prefilter: Prefilter | undefined
  #signal: AbortSignal | undefined
  /** What is searched ahead for a line that may match. */
  #ahead: Buffer | undefined
  readonly #joiner = new LineJoiner()
  /**
   * Where reading stops unless it follows. Holds the segment, to recognise it even if rotation deletes it meanwhile.
   */
  #end: End | undefined
  #lost = false

  constructor(file: string) {
    this.#file = file
  }

  /** Whether rotation deleted lines before they were read. */
  get lost(): boolean {
    return this.#lost
  }

  /**
   * Moves to before the last `tail` lines that match the filter, but no further back than `since` needs; without both,
   * to the oldest line. Reading ends at the log's present end, or never with `follow`. With `tail` it returns the
   * number of matching lines from here to the present end; an unfinished one counts unless followed. Lines that do not
   * match its prefilter may be skipped.
   */
  async seek({ tail, follow, ...filter }: StartPosition = {}): Promise<number> {
    const { until } = filter
    this.#prefilter = filter.prefilter
    this.#signal = filter.signal
    const found = await this.#fromEnd({ follow, until }, async end => {
      if (tail === undefined && filter.since === undefined) {
        this.#segment = await openOldestSegment(this.#file)
        return 0
      }
      const place = await findStart(this.#file, end.segment, end.size, { ...filter, tail })
      this.#moveTo(place)
      return tail === undefined ? 0 : await this.#count(place, end, filter, follow !== true && until === undefined)
    })
    return found ?? 0
  }

  /**
   * Moves like `seek`, to before the line of an anchor, or to the oldest line when the log no longer has it.
   * `AnchorSkip` skips the lines up to the anchor.
   */
  async seekAnchor(
    anchor: Anchor,
    { follow, tail, ...filter }: StartPosition,
  ): Promise<{ isFound: boolean; count: number }> {
    const { until } = filter
    const found = await this.#fromEnd({ follow, until }, async end => {
      const place = await findAnchor(this.#file, end.segment, end.size, anchor)
      const oldest = place === undefined ? await openOldestSegment(this.#file) : undefined
      const from = place ?? (oldest && { segment: oldest, offset: 0, before: [] })
      if (from !== undefined) this.#moveTo(from)
      const isCounted = tail !== undefined && from !== undefined
      const count = isCounted ? await this.#count(from, end, filter, follow !== true && until === undefined) : 0
      return { isFound: place !== undefined, count }
    })
    return found ?? { isFound: false, count: 0 }
  }

  /**
   * Searches from the log's present end, or from after the last line until a time: there reading stops unless it
   * follows. Returns undefined without a log.
   */
  async #fromEnd<T>(
    { follow, until }: Pick<StartPosition, 'follow' | 'until'>,
    search: (end: End) => Promise<T>,
  ): Promise<T | undefined> {
    const newest = await openNewestSegment(this.#file)
    if (newest === undefined) return undefined
    const size = await newest.size()
    const end = until === undefined ? { segment: newest, size } : await findEnd(this.#file, newest, size, until)
    if (until !== undefined) await newest.close()
    if (follow !== true) this.#end = { ...end, segment: end.segment.share() }
    try {
      return await search(end)
    } finally {
      await end.segment.close()
    }
  }

  /** Reads the last `count` lines, including an unfinished one. */
  async last(count: number): Promise<readonly OutputLine[]> {
    await this.seek({ tail: count })
    let lines: readonly OutputLine[] = []
    for (let next = await this.next(); next.length > 0; next = await this.next()) {
      lines = [...lines, ...next].slice(-count)
    }
    return count === 0 ? [] : [...lines, ...this.peek()].slice(-count)
  }

  /** Reads the next lines, as many as a block holds; returns none at the (present) end. */
  async next(): Promise<readonly OutputLine[]> {
    for (;;) {
      // No log existed at the start, so all of it is new.
      this.#segment ??= await openOldestSegment(this.#file)
      if (this.#segment === undefined) return []
      const limit = this.#end?.segment.inode === this.#segment.inode ? this.#end.size : Number.POSITIVE_INFINITY
      if (this.#prefilter !== undefined) await this.#skip(this.#prefilter, this.#segment, limit)
      this.#makeRoom()
      const into = this.#block.subarray(this.#held, Math.min(this.#block.length, this.#held + limit - this.#offset))
      const length = await this.#segment.read(into, this.#offset)
      if (length === 0) {
        if (this.#offset >= limit || !(await this.#advance(this.#segment))) return []
        continue
      }
      this.#offset += length
      const filled = this.#block.subarray(0, this.#held + length)
      const end = filled.lastIndexOf(newline) + 1
      const lines = this.#joiner.push(filled.subarray(0, end))
      this.#held = filled.length - end
      filled.copyWithin(0, end)
      if (lines.length > 0) return lines
    }
  }

  /** Returns unfinished lines as they are so far, without consuming them. */
  peek(): readonly OutputLine[] {
    return this.#joiner.peek()
  }

  async close(): Promise<void> {
    const segments = [this.#segment, this.#end?.segment]
    this.#segment = this.#end = undefined
    for (const segment of segments) await segment?.close()
  }

  /** Skips bytes up to a limit in which no line matches. */
  async #skip(prefilter: Prefilter, segment: LogSegment, limit: number): Promise<void> {
    if (this.#joiner.isOpen) return
    this.#offset -= this.#held
    this.#held = 0
    while (this.#signal?.aborted !== true) {
      this.#ahead ??= Buffer.allocUnsafe(scanSize)
      const into = this.#ahead.subarray(0, Math.max(0, limit - this.#offset))
      const length = await segment.read(into, this.#offset)
      const read = into.subarray(0, length)
      const bytes = read.subarray(0, read.lastIndexOf(newline) + 1)
      const first = length < blockSize ? 0 : prefilter.first(bytes)
      this.#offset += first ?? bytes.length
      if (length < scanSize) this.#ahead = undefined
      if (first !== undefined || bytes.length === 0) return
    }
  }

  #makeRoom(): void {
    if (this.#held < this.#block.length) return
    const larger = Buffer.allocUnsafe(Math.max(blockSize, this.#block.length * 2))
    this.#block.copy(larger)
    this.#block = larger
  }

  #moveTo({ segment, offset, before }: Place): void {
    this.#segment = segment
    this.#offset = offset
    for (const chunk of before) this.#joiner.push(chunk)
  }

  /** Counts the matching lines from a place to an end, without moving. */
  async #count(place: Place, end: End, filter: LineFilter, withUnfinished: boolean): Promise<number> {
    const ahead = new LogCursor(this.#file)
    ahead.#prefilter = filter.prefilter
    ahead.#signal = filter.signal
    ahead.#end = { ...end, segment: end.segment.share() }
    ahead.#moveTo({ ...place, segment: place.segment.share() })
    try {
      let count = 0
      for (
        let lines = await ahead.next();
        lines.length > 0 && filter.signal?.aborted !== true;
        lines = await ahead.next()
      ) {
        count += selectLines(lines, filter).length
      }
      return count + (withUnfinished ? selectLines(ahead.peek(), filter).length : 0)
    } finally {
      await ahead.close()
    }
  }

  /** Returns, at the end of a file, whether there is more to read: here or, after a rotation, in the next newer one. */
  async #advance(segment: LogSegment): Promise<boolean> {
    const size = await segment.size()
    if (size !== this.#offset) {
      // Truncated in place, by hand or to free space.
      if (size < this.#offset) this.#startAt(segment)
      return true
    }
    const newer = await openAdjacentSegment(this.#file, segment, 1)
    if (newer === 'none') return false
    // Rotated since the last read: its last lines come first.
    const isBehind = (await segment.size()) > this.#offset
    if (isBehind && newer !== 'deleted') await newer.close()
    if (isBehind) return true
    const next = newer === 'deleted' ? await this.#afterGap(segment) : newer
    if (next === undefined) return false
    await segment.close()
    this.#startAt(next)
    return true
  }

  /** Returns the segment after a deleted one; undefined when nothing was written since. */
  async #afterGap(segment: LogSegment): Promise<LogSegment | undefined> {
    this.#lost = true
    const end = this.#end?.segment
    if (end !== undefined && (await end.isDeleted())) return end.share()
    const written = await segment.lastWriteNs()
    let next = await openOldestSegment(this.#file)
    // Older segments remain if a user, and not rotation, removed or renamed this one.
    while (next !== undefined && (next.inode === segment.inode || (await next.lastWriteNs()) < written)) {
      const newer = await openAdjacentSegment(this.#file, next, 1)
      await next.close()
      next = newer instanceof LogSegment ? newer : undefined
    }
    return next
  }

  #startAt(segment: LogSegment): void {
    this.#segment = segment
    this.#offset = 0
    this.#held = 0
  }
}
