import type { FileHandle } from 'node:fs/promises'
import { open, readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { systemCode } from './errors.ts'
import { firstLineEnd, LineJoiner, type OutputLine } from './log-lines.ts'

const blockSize = 256 * 1024
const newline = 0x0a

/** Which lines are wanted. `since`: RFC 3339 UTC, as in the files. */
export interface LineFilter {
  readonly since?: string
  readonly grep?: (lines: readonly OutputLine[]) => readonly OutputLine[]
}

/**
 * A place in a rotating log. It holds the file it reads open, so that rotation in between loses nothing: when the file is not
 * the current one any more, it is read to its end and the next newer one follows.
 */
export class LogCursor {
  readonly #file: string
  #handle: FileHandle | undefined
  #inode = 0
  #offset = 0
  #rest = Buffer.alloc(0)
  readonly #joiner = new LineJoiner()

  constructor(file: string) {
    this.#file = file
  }

  /** Goes to the end, and gives the last `count` wanted lines before it. */
  async last(count: number, filter: LineFilter = {}): Promise<readonly OutputLine[]> {
    await this.#openNewest()
    if (this.#handle === undefined) return []
    const { size } = await this.#handle.stat()
    this.#offset = size
    const lines = await this.#backwards(this.#handle, size, count, filter)
    return count === 0 ? [] : lines.slice(-count)
  }

  /** Goes to the start of the oldest file. */
  async start(): Promise<void> {
    const files = await rotated(this.#file)
    await this.#open(files.at(-1) ?? this.#file)
  }

  /** The next lines, as many as a block holds; empty when there is no more for now. */
  async next(): Promise<readonly OutputLine[]> {
    for (;;) {
      if (this.#handle === undefined) await this.#openNewest()
      if (this.#handle === undefined) return []
      const block = Buffer.allocUnsafe(blockSize)
      const { bytesRead } = await this.#handle.read(block, 0, blockSize, this.#offset)
      if (bytesRead === 0) {
        if (await this.#toNewer()) continue
        return []
      }
      this.#offset += bytesRead
      const chunk = Buffer.concat([this.#rest, block.subarray(0, bytesRead)])
      const end = chunk.lastIndexOf(newline) + 1
      this.#rest = Buffer.from(chunk.subarray(end))
      const lines = this.#joiner.push(chunk.subarray(0, end))
      if (lines.length > 0) return lines
    }
  }

  /** Whether an unfinished line is held back. */
  get pending(): boolean {
    return this.#joiner.pending
  }

  /** An unfinished line as it is so far; it stays held back. */
  peek(): readonly OutputLine[] {
    return this.#joiner.peek()
  }

  /** Gives an unfinished line as it is. */
  flush(): readonly OutputLine[] {
    return this.#joiner.flush()
  }

  async close(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    await handle?.close()
  }

  async #openNewest(): Promise<void> {
    await this.#open(this.#file)
  }

  /** Opens a file; false where there is none, or not the one with the expected inode any more. */
  async #open(file: string, expected?: number): Promise<boolean> {
    const handle = await open(file, 'r').catch((error: unknown) => {
      if (systemCode(error) !== 'ENOENT') throw error
    })
    if (handle === undefined) return false
    const { ino } = await handle.stat()
    if (expected !== undefined && ino !== expected) {
      await handle.close()
      return false
    }
    await this.#handle?.close()
    this.#handle = handle
    this.#inode = ino
    this.#offset = 0
    this.#rest = Buffer.alloc(0)
    return true
  }

  /** At the end of a file: true when there is more to read, here or, if this one was rotated, in the next newer one. */
  async #toNewer(): Promise<boolean> {
    // The names move while they are looked at, so what was found is checked by inode, and looked for again.
    for (let attempt = 0; attempt < 5 && this.#handle !== undefined; attempt++) {
      const files = await rotated(this.#file)
      const inodes = await Promise.all(files.map(inodeOf))
      const index = inodes.indexOf(this.#inode)
      if (index === 0) return false
      const { size } = await this.#handle.stat()
      if (size > this.#offset) return true
      const next = files[index - 1]
      if (index > 0 && next !== undefined && (await this.#open(next, inodes[index - 1]))) return true
    }
    // It fell off the cap while being read slowly: go on with the oldest there is.
    const oldest = (await rotated(this.#file)).at(-1)
    return oldest !== undefined && (await this.#open(oldest))
  }

  async #backwards(newest: FileHandle, size: number, count: number, filter: LineFilter): Promise<OutputLine[]> {
    if (count === 0) return []
    let lines: OutputLine[] = []
    let tail = Buffer.alloc(0)
    const older = (await rotated(this.#file)).slice(1)
    for (let index = -1; index < older.length; index++) {
      const path = index === -1 ? undefined : older[index]
      const handle = path === undefined ? newest : await open(path, 'r').catch(() => undefined)
      if (handle === undefined) continue
      try {
        let end = path === undefined ? size : (await handle.stat()).size
        while (end > 0) {
          const start = Math.max(0, end - blockSize)
          const block = Buffer.allocUnsafe(end - start)
          await handle.read(block, 0, block.length, start)
          end = start
          const chunk = Buffer.concat([block, tail])
          const isOldest = start === 0 && index === older.length - 1
          const cut = isOldest ? 0 : firstLineEnd(chunk)
          if (cut === -1) {
            tail = chunk
            continue
          }
          tail = Buffer.from(chunk.subarray(0, cut))
          const found = linesIn(chunk.subarray(cut))
          const wanted = select(found, filter)
          lines = [...wanted, ...lines]
          const first = found[0]
          if (lines.length >= count || (filter.since !== undefined && first !== undefined && first.time < filter.since))
            return lines
        }
      } finally {
        if (path !== undefined) await handle.close()
      }
    }
    return tail.length === 0 ? lines : [...select(linesIn(tail), filter), ...lines]
  }
}

function linesIn(chunk: Buffer): OutputLine[] {
  const joiner = new LineJoiner()
  return [...joiner.push(chunk), ...joiner.flush()]
}

/** The lines a filter wants. */
export function select(lines: readonly OutputLine[], { since, grep }: LineFilter): readonly OutputLine[] {
  const recent = since === undefined ? lines : lines.filter(line => line.time >= since)
  return grep === undefined ? recent : grep(recent)
}

/** The files of a log, newest first. */
async function rotated(file: string): Promise<readonly string[]> {
  const folder = dirname(file)
  const name = basename(file)
  const names = await readdir(folder).catch(() => [])
  return names
    .map(entry => ({
      entry,
      index: entry === name ? 0 : entry.startsWith(`${name}.`) ? Number(entry.slice(name.length + 1)) : Number.NaN,
    }))
    .filter(({ index }) => Number.isInteger(index))
    .sort((a, b) => a.index - b.index)
    .map(({ entry }) => join(folder, entry))
}

async function inodeOf(file: string): Promise<number | undefined> {
  return (await stat(file).catch(() => undefined))?.ino
}
