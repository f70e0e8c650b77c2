import type { FileHandle } from 'node:fs/promises'
import { open, readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { systemCode } from '../errors.ts'
import { pause } from '../system/async.ts'

/** One file of a rotating log, held open: rotation changes its name, not its content. Its readers share it. */
export class LogSegment {
  readonly inode: bigint
  readonly #handle: FileHandle
  #users = 1

  private constructor(handle: FileHandle, inode: bigint) {
    this.#handle = handle
    this.inode = inode
  }

  /** Opens a file; returns undefined if it does not exist. */
  static async open(path: string): Promise<LogSegment | undefined> {
    const handle = await open(path, 'r').catch((error: unknown) => {
      if (systemCode(error) !== 'ENOENT') throw error
    })
    if (handle === undefined) return undefined
    const { ino } = await handle.stat({ bigint: true })
    return new LogSegment(handle, ino)
  }

  /** Reads bytes at an offset into a buffer; returns their number. */
  async read(into: Buffer, offset: number): Promise<number> {
    if (into.length === 0) return 0
    return (await this.#handle.read(into, 0, into.length, offset)).bytesRead
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size
  }

  /** Whether rotation or a user has deleted it. */
  async isDeleted(): Promise<boolean> {
    return (await this.#handle.stat()).nlink === 0
  }

  /** Returns the time of its last write, ns since 1970. */
  async lastWriteNs(): Promise<bigint> {
    return (await this.#handle.stat({ bigint: true })).mtimeNs
  }

  /** Adds a reader, which must also close it. */
  share(): LogSegment {
    this.#users++
    return this
  }

  async close(): Promise<void> {
    if (--this.#users === 0) await this.#handle.close()
  }
}

/** How long to retry while a rotation renames files, ms: a busy disk may be slow. */
const retryMs = 2000
const longestPauseMs = 50
/** A file that this many identical listings in a row do not have was renamed by a user, not by rotation. */
const missesUntilRenamed = 5

/** Retries with growing pauses until there is a result; `isLast` marks the last attempt. */
async function retryFind<T>(find: (isLast: boolean) => Promise<T | undefined>): Promise<T | undefined> {
  const end = performance.now() + retryMs
  for (let wait = 1; ; wait = Math.min(longestPauseMs, wait * 2)) {
    const isLast = performance.now() > end
    const found = await find(isLast)
    if (found !== undefined || isLast) return found
    await pause(wait)
  }
}

/**
 * Finds the segment written directly before (-1) or after (+1) one; `none` if there is none (yet), `deleted` if
 * rotation deleted this one, or a user renamed it and there is a new one in its place. Detects a concurrent rotation:
 * it renames the older files first, so the neighbours of a segment that keeps its number have not moved, except the
 * older one, whose number may be higher by one already.
 */
export async function openAdjacentSegment(
  file: string,
  segment: LogSegment,
  step: -1 | 1,
): Promise<LogSegment | 'none' | 'deleted'> {
  let misses = 0
  let previous = ''
  const found = await retryFind(async isLast => {
    const numbers = await numbersOf(file)
    const inodes = await Promise.all(numbers.map(number => inodeOf(nameOf(file, number))))
    const mine = numbers[inodes.indexOf(segment.inode)]
    if (mine === undefined) {
      const listing = inodes.join(' ')
      if (listing !== previous) misses = 0
      previous = listing
      const isRenamed = ++misses >= missesUntilRenamed && numbers[0] === 0
      return isRenamed || (await segment.isDeleted()) ? 'deleted' : undefined
    }
    misses = 0
    if (mine === 0 && step === 1) return 'none'
    // The last attempt skips a segment whose file a user has removed.
    const further = isLast ? numbers.filter(number => (step === 1 ? number < mine : number > mine)) : [mine - step]
    const beside = await LogSegment.open(nameOf(file, (step === 1 ? further.at(-1) : further[0]) ?? mine - step))
    const isMoving = beside === undefined && (step === 1 || (await inodeOf(nameOf(file, mine + 2))) !== undefined)
    const isStill = (await inodeOf(nameOf(file, mine))) === segment.inode
    if (isStill && !isMoving) return beside ?? 'none'
    await beside?.close()
    return undefined
  })
  return found ?? 'none'
}

/** The end of a part of a log, at the start of an entry; close its segment. */
export interface End {
  readonly segment: LogSegment
  /** Bytes of the segment. */
  readonly size: number
}

/** Yields an end (`size` in bytes of a segment), then those of older segments; each segment is open until the next. */
export async function* endsBefore(file: string, newest: End): AsyncGenerator<End> {
  let { segment, size } = { ...newest, segment: newest.segment.share() }
  try {
    for (;;) {
      yield { segment, size }
      const older = await openAdjacentSegment(file, segment, -1)
      if (!(older instanceof LogSegment)) return
      await segment.close()
      segment = older
      size = await segment.size()
    }
  } finally {
    await segment.close()
  }
}

/**
 * Opens the segment that was written last, which is not the current file during a rotation; returns undefined without
 * any.
 */
export async function openNewestSegment(file: string): Promise<LogSegment | undefined> {
  const found = await retryFind(async isLast => {
    const segment = await LogSegment.open(file)
    if (segment !== undefined) return segment
    const [first] = await numbersOf(file)
    if (first === undefined) return 'none'
    return isLast ? LogSegment.open(nameOf(file, first)) : undefined
  })
  return found === 'none' ? undefined : found
}

/** Opens the segment that was written first; returns undefined without any. */
export async function openOldestSegment(file: string): Promise<LogSegment | undefined> {
  const found = await retryFind(async () => {
    const last = (await numbersOf(file)).at(-1)
    return last === undefined ? 'none' : LogSegment.open(nameOf(file, last))
  })
  let oldest = found === 'none' ? undefined : found
  while (oldest !== undefined) {
    const older = await openAdjacentSegment(file, oldest, -1)
    if (!(older instanceof LogSegment)) return oldest
    await oldest.close()
    oldest = older
  }
  return undefined
}

/**
 * Lists the numbers of a log's files, from 0, the current one. It may miss one that is renamed while the folder is
 * read.
 */
async function numbersOf(file: string): Promise<readonly number[]> {
  const name = basename(file)
  const names = await readdir(dirname(file)).catch(() => [])
  const numbers = names
    .flatMap(entry =>
      entry === name ? [0] : entry.startsWith(`${name}.`) ? [Number(entry.slice(name.length + 1))] : [],
    )
    .filter(number => Number.isInteger(number))
  if (numbers.length > 0) return numbers.sort((a, b) => a - b)
  if ((await inodeOf(file)) !== undefined) return [0]
  return (await inodeOf(nameOf(file, 1))) === undefined ? [] : [1]
}

/** Returns the size of all files of a log together, bytes. */
export async function sizeOfLog(file: string): Promise<number> {
  const numbers = await numbersOf(file)
  const sizes = numbers.map(async number => (await stat(nameOf(file, number)).catch(() => undefined))?.size ?? 0)
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}

function nameOf(file: string, number: number): string {
  return number === 0 ? file : join(dirname(file), `${basename(file)}.${number}`)
}

async function inodeOf(path: string): Promise<bigint | undefined> {
  return (await stat(path, { bigint: true }).catch(() => undefined))?.ino
}
