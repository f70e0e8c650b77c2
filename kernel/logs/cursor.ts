import type { Anchor } from './anchor.ts'
import { LineJoiner, type OutputLine } from './lines.ts'
import { blockSize, type LineFilter, type Place, placeBefore, placeOf, select } from './seek.ts'
import { LogPart, newestPart, oldestPart, partBeside } from './segments.ts'

const newline = 0x0a

/** Where to begin. */
export interface Start extends LineFilter {
  readonly tail?: number | undefined
  readonly follow?: boolean | undefined
}

/** Where a log ended when it was looked at: bytes of its newest part. */
interface End {
  readonly part: LogPart
  readonly size: number
}

/**
 * A place in a rotating log. It holds the file it reads open, so that rotation in between loses nothing: when the file is not
 * the current one any more, it is read to its end and the next newer one follows. Only what falls off the cap unread is lost.
 */
export class LogCursor {
  readonly #file: string
  #part: LogPart | undefined
  #offset = 0
  /** Reused for every read: at its start is the beginning of an entry that is not whole yet. */
  #block = Buffer.alloc(0)
  #held = 0
  readonly #joiner = new LineJoiner()
  /** Where reading ends, when not followed: that part is held, so that it is found even if it falls off the cap meanwhile. */
  #end: End | undefined
  #lost = false

  constructor(file: string) {
    this.#file = file
  }

  /** Whether lines fell off the cap before they were read. */
  get lost(): boolean {
    return this.#lost
  }

  /**
   * Goes to before the last `tail` lines that the filter wants, and no further back than `since` needs; without both, to the oldest
   * line. Reading ends where the log ends now, or never when it is followed. With `tail` the result is how many wanted lines there
   * are from here to the end of now; an unfinished one counts when not followed.
   */
  async seek({ tail, follow, ...filter }: Start = {}): Promise<number> {
    const found = await this.#fromEnd(follow, async end => {
      if (tail === undefined && filter.since === undefined) {
        this.#part = await oldestPart(this.#file)
        return 0
      }
      const place = await placeBefore(this.#file, end.part, end.size, { ...filter, tail })
      this.#stand(place)
      return tail === undefined ? 0 : await this.#count(place, end, filter, follow !== true)
    })
    return found ?? 0
  }

  /**
   * As `seek`, to before the line of an anchor, or to the oldest line when that is not in the log any more. Lines up to the anchor are
   * for `AnchorSkip` to pass over.
   */
  async seekAnchor(anchor: Anchor, { follow, tail, ...filter }: Start): Promise<{ isFound: boolean; count: number }> {
    const found = await this.#fromEnd(follow, async end => {
      const place = await placeOf(this.#file, end.part, end.size, anchor)
      const oldest = place === undefined ? await oldestPart(this.#file) : undefined
      const from = place ?? (oldest && { part: oldest, offset: 0, before: [] })
      if (from !== undefined) this.#stand(from)
      const isCounted = tail !== undefined && from !== undefined
      const count = isCounted ? await this.#count(from, end, filter, follow !== true) : 0
      return { isFound: place !== undefined, count }
    })
    return found ?? { isFound: false, count: 0 }
  }

  /** Looks for a place from where the log ends now, which is the end of reading unless it is followed. Undefined: there is no log. */
  async #fromEnd<T>(follow: boolean | undefined, look: (end: End) => Promise<T>): Promise<T | undefined> {
    const part = await newestPart(this.#file)
    if (part === undefined) return undefined
    const end = { part, size: await part.size() }
    if (follow !== true) this.#end = { ...end, part: part.share() }
    try {
      return await look(end)
    } finally {
      await part.close()
    }
  }

  /** The last `count` lines, an unfinished one included. */
  async last(count: number): Promise<readonly OutputLine[]> {
    await this.seek({ tail: count })
    let lines: readonly OutputLine[] = []
    for (let next = await this.next(); next.length > 0; next = await this.next()) {
      lines = [...lines, ...next].slice(-count)
    }
    return count === 0 ? [] : [...lines, ...this.peek()].slice(-count)
  }

  /** The next lines, as many as a block holds; empty when there are no more (for now). */
  async next(): Promise<readonly OutputLine[]> {
    for (;;) {
      // There was no log when it began: all of it is new.
      this.#part ??= await oldestPart(this.#file)
      if (this.#part === undefined) return []
      const limit = this.#end?.part.inode === this.#part.inode ? this.#end.size : Number.POSITIVE_INFINITY
      this.#makeRoom()
      const into = this.#block.subarray(this.#held, Math.min(this.#block.length, this.#held + limit - this.#offset))
      const length = await this.#part.read(into, this.#offset)
      if (length === 0) {
        if (this.#offset >= limit || !(await this.#goFurther(this.#part))) return []
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

  /** An unfinished line as it is so far; it stays held back. */
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

  #stand({ part, offset, before }: Place): void {
    this.#part = part
    this.#offset = offset
    for (const chunk of before) this.#joiner.push(chunk)
  }

  /** Counts the wanted lines from a place to an end, without moving. */
  async #count(place: Place, end: End, filter: LineFilter, unfinishedToo: boolean): Promise<number> {
    const ahead = new LogCursor(this.#file)
    ahead.#end = { ...end, part: end.part.share() }
    ahead.#stand({ ...place, part: place.part.share() })
    try {
      let count = 0
      for (let lines = await ahead.next(); lines.length > 0; lines = await ahead.next()) {
        count += select(lines, filter).length
      }
      return count + (unfinishedToo ? select(ahead.peek(), filter).length : 0)
    } finally {
      await ahead.close()
    }
  }

  /** At the end of a file: true when there is more to read, here or, if this one was rotated, in the next newer one. */
  async #goFurther(part: LogPart): Promise<boolean> {
    const size = await part.size()
    if (size !== this.#offset) {
      // Emptied in place, by hand or for want of room.
      if (size < this.#offset) this.#move(part)
      return true
    }
    const newer = await partBeside(this.#file, part, 1)
    if (newer === 'none') return false
    // Rotated since it was read: its last lines come first.
    const isBehind = (await part.size()) > this.#offset
    if (isBehind && newer !== 'gone') await newer.close()
    if (isBehind) return true
    const next = newer === 'gone' ? await this.#afterGap(part) : newer
    if (next === undefined) return false
    await part.close()
    this.#move(next)
    return true
  }

  /** What follows a part that is not there any more; undefined when nothing was written since. */
  async #afterGap(part: LogPart): Promise<LogPart | undefined> {
    this.#lost = true
    const end = this.#end?.part
    if (end !== undefined && (await end.isGone())) return end.share()
    const written = await part.written()
    let next = await oldestPart(this.#file)
    // Older ones are still there when it was somebody who removed or renamed this one.
    while (next !== undefined && (next.inode === part.inode || (await next.written()) < written)) {
      const newer = await partBeside(this.#file, next, 1)
      await next.close()
      next = newer instanceof LogPart ? newer : undefined
    }
    return next
  }

  #move(part: LogPart): void {
    this.#part = part
    this.#offset = 0
    this.#held = 0
  }
}
