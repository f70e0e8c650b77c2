import type { Anchor } from './anchor.ts'
import { LineJoiner, type OutputLine } from './lines.ts'
import { blockSize, type LineFilter, type Place, placeBefore, placeOf, select } from './seek.ts'
import { LogPart, newestPart, oldestPart, partBeside } from './segments.ts'

const newline = 0x0a

/** Where to start reading. */
export interface Start extends LineFilter {
  readonly tail?: number | undefined
  readonly follow?: boolean | undefined
}

/** The end of a log at some time: bytes of its newest part. */
interface End {
  readonly part: LogPart
  readonly size: number
}

/**
 * A position in a rotating log. It holds the file it reads open, so rotation loses nothing: a file that is no longer the current one is
 * read to its end before the next newer one. Only lines that rotation deletes unread are lost.
 */
export class LogCursor {
  readonly #file: string
  #part: LogPart | undefined
  #offset = 0
  /** Reused for every read; starts with the bytes of an incomplete entry. */
  #block = Buffer.alloc(0)
  #held = 0
  readonly #joiner = new LineJoiner()
  /** Where reading stops unless it follows. Holds the part, to recognise it even if rotation deletes it meanwhile. */
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
   * Moves to before the last `tail` lines that match the filter, but no further back than `since` needs; without both, to the oldest
   * line. Reading ends at the log's present end, or never with `follow`. With `tail` it returns the number of matching lines from here
   * to the present end; an unfinished one counts unless followed.
   */
  async seek({ tail, follow, ...filter }: Start = {}): Promise<number> {
    const found = await this.#fromEnd(follow, async end => {
      if (tail === undefined && filter.since === undefined) {
        this.#part = await oldestPart(this.#file)
        return 0
      }
      const place = await placeBefore(this.#file, end.part, end.size, { ...filter, tail })
      this.#moveTo(place)
      return tail === undefined ? 0 : await this.#count(place, end, filter, follow !== true)
    })
    return found ?? 0
  }

  /**
   * Moves like `seek`, to before the line of an anchor, or to the oldest line when the log no longer has it. `AnchorSkip` skips the
   * lines up to the anchor.
   */
  async seekAnchor(anchor: Anchor, { follow, tail, ...filter }: Start): Promise<{ isFound: boolean; count: number }> {
    const found = await this.#fromEnd(follow, async end => {
      const place = await placeOf(this.#file, end.part, end.size, anchor)
      const oldest = place === undefined ? await oldestPart(this.#file) : undefined
      const from = place ?? (oldest && { part: oldest, offset: 0, before: [] })
      if (from !== undefined) this.#moveTo(from)
      const isCounted = tail !== undefined && from !== undefined
      const count = isCounted ? await this.#count(from, end, filter, follow !== true) : 0
      return { isFound: place !== undefined, count }
    })
    return found ?? { isFound: false, count: 0 }
  }

  /** Searches from the log's present end, where reading stops unless it follows. Returns undefined without a log. */
  async #fromEnd<T>(follow: boolean | undefined, search: (end: End) => Promise<T>): Promise<T | undefined> {
    const part = await newestPart(this.#file)
    if (part === undefined) return undefined
    const end = { part, size: await part.size() }
    if (follow !== true) this.#end = { ...end, part: part.share() }
    try {
      return await search(end)
    } finally {
      await part.close()
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
      this.#part ??= await oldestPart(this.#file)
      if (this.#part === undefined) return []
      const limit = this.#end?.part.inode === this.#part.inode ? this.#end.size : Number.POSITIVE_INFINITY
      this.#makeRoom()
      const into = this.#block.subarray(this.#held, Math.min(this.#block.length, this.#held + limit - this.#offset))
      const length = await this.#part.read(into, this.#offset)
      if (length === 0) {
        if (this.#offset >= limit || !(await this.#advance(this.#part))) return []
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
    const parts = [this.#part, this.#end?.part]
    this.#part = this.#end = undefined
    for (const part of parts) await part?.close()
  }

  #makeRoom(): void {
    if (this.#held < this.#block.length) return
    const larger = Buffer.allocUnsafe(Math.max(blockSize, this.#block.length * 2))
    this.#block.copy(larger)
    this.#block = larger
  }

  #moveTo({ part, offset, before }: Place): void {
    this.#part = part
    this.#offset = offset
    for (const chunk of before) this.#joiner.push(chunk)
  }

  /** Counts the matching lines from a place to an end, without moving. */
  async #count(place: Place, end: End, filter: LineFilter, withUnfinished: boolean): Promise<number> {
    const ahead = new LogCursor(this.#file)
    ahead.#end = { ...end, part: end.part.share() }
    ahead.#moveTo({ ...place, part: place.part.share() })
    try {
      let count = 0
      for (let lines = await ahead.next(); lines.length > 0; lines = await ahead.next()) {
        count += select(lines, filter).length
      }
      return count + (withUnfinished ? select(ahead.peek(), filter).length : 0)
    } finally {
      await ahead.close()
    }
  }

  /** At the end of a file: returns whether there is more to read, here or, after a rotation, in the next newer one. */
  async #advance(part: LogPart): Promise<boolean> {
    const size = await part.size()
    if (size !== this.#offset) {
      // Truncated in place, by hand or to free space.
      if (size < this.#offset) this.#startAt(part)
      return true
    }
    const newer = await partBeside(this.#file, part, 1)
    if (newer === 'none') return false
    // Rotated since the last read: its last lines come first.
    const isBehind = (await part.size()) > this.#offset
    if (isBehind && newer !== 'deleted') await newer.close()
    if (isBehind) return true
    const next = newer === 'deleted' ? await this.#afterGap(part) : newer
    if (next === undefined) return false
    await part.close()
    this.#startAt(next)
    return true
  }

  /** Returns the part after a deleted one; undefined when nothing was written since. */
  async #afterGap(part: LogPart): Promise<LogPart | undefined> {
    this.#lost = true
    const end = this.#end?.part
    if (end !== undefined && (await end.isDeleted())) return end.share()
    const written = await part.written()
    let next = await oldestPart(this.#file)
    // Older parts remain if a user, and not rotation, removed or renamed this one.
    while (next !== undefined && (next.inode === part.inode || (await next.written()) < written)) {
      const newer = await partBeside(this.#file, next, 1)
      await next.close()
      next = newer instanceof LogPart ? newer : undefined
    }
    return next
  }

  #startAt(part: LogPart): void {
    this.#part = part
    this.#offset = 0
    this.#held = 0
  }
}
