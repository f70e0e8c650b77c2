import type { FileHandle } from 'node:fs/promises'
import { open, readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { systemCode } from '../errors.ts'
import { pause } from '../system/async.ts'

/** One file of a rotating log, held open: rotation moves its name, not its content. Shared by those who read it. */
export class LogPart {
  readonly inode: bigint
  readonly #handle: FileHandle
  #users = 1

  private constructor(handle: FileHandle, inode: bigint) {
    this.#handle = handle
    this.inode = inode
  }

  /** Undefined when there is no such file. */
  static async open(path: string): Promise<LogPart | undefined> {
    const handle = await open(path, 'r').catch((error: unknown) => {
      if (systemCode(error) !== 'ENOENT') throw error
    })
    if (handle === undefined) return undefined
    const { ino } = await handle.stat({ bigint: true })
    return new LogPart(handle, ino)
  }

  /** Fills a buffer with what is at an offset; how much there was. */
  async read(into: Buffer, offset: number): Promise<number> {
    if (into.length === 0) return 0
    return (await this.#handle.read(into, 0, into.length, offset)).bytesRead
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size
  }

  /** Whether it has fallen off the cap, or was removed. */
  async isGone(): Promise<boolean> {
    return (await this.#handle.stat()).nlink === 0
  }

  /** When it was last written to: ns since 1970. */
  async written(): Promise<bigint> {
    return (await this.#handle.stat({ bigint: true })).mtimeNs
  }

  /** Another user of it, who closes it, too. */
  share(): LogPart {
    this.#users++
    return this
  }

  async close(): Promise<void> {
    if (--this.#users === 0) await this.#handle.close()
  }
}

/** Names move while they are looked at: so long they are looked at again, for a busy disk may take its time to move them all: ms. */
const patienceMs = 2000
const longestPauseMs = 50
/** A rotation moves files while they are looked at; one that is missed by so many looks in a row that saw the same has another name. */
const missesUntilRenamed = 5

/** Looks again and again, with growing pauses, until there is an answer; `isLast` tells the look after which there is no other. */
async function patiently<T>(look: (isLast: boolean) => Promise<T | undefined>): Promise<T | undefined> {
  const end = performance.now() + patienceMs
  for (let wait = 1; ; wait = Math.min(longestPauseMs, wait * 2)) {
    const isLast = performance.now() > end
    const found = await look(isLast)
    if (found !== undefined || isLast) return found
    await pause(wait)
  }
}

/**
 * The part written right before (-1) or after (+1) one; `none` when there is no such (yet), `gone` when this one has fallen off, or
 * was given another name by somebody and there is a new one in its place.
 * A rotation in between is noticed: it moves the older files first, so a part that keeps its number has its neighbours where they
 * were, but for the older one, which may be a number further already.
 */
export async function partBeside(file: string, part: LogPart, step: -1 | 1): Promise<LogPart | 'none' | 'gone'> {
  let misses = 0
  let seen = ''
  const found = await patiently(async isLast => {
    const numbers = await numbersOf(file)
    const inodes = await Promise.all(numbers.map(number => inodeOf(nameOf(file, number))))
    const mine = numbers[inodes.indexOf(part.inode)]
    if (mine === undefined) {
      const sees = inodes.join(' ')
      if (sees !== seen) misses = 0
      seen = sees
      const isRenamed = ++misses >= missesUntilRenamed && numbers[0] === 0
      return isRenamed || (await part.isGone()) ? 'gone' : undefined
    }
    misses = 0
    if (mine === 0 && step === 1) return 'none'
    // One whose file somebody has removed is passed over in the end.
    const further = isLast ? numbers.filter(number => (step === 1 ? number < mine : number > mine)) : [mine - step]
    const beside = await LogPart.open(nameOf(file, (step === 1 ? further.at(-1) : further[0]) ?? mine - step))
    const isMoving = beside === undefined && (step === 1 || (await inodeOf(nameOf(file, mine + 2))) !== undefined)
    const isStill = (await inodeOf(nameOf(file, mine))) === part.inode
    if (isStill && !isMoving) return beside ?? 'none'
    await beside?.close()
    return undefined
  })
  return found ?? 'none'
}

/** The part that was written last; undefined when nothing ever was. In the midst of a rotation that is not the current file. */
export async function newestPart(file: string): Promise<LogPart | undefined> {
  const found = await patiently(async isLast => {
    const part = await LogPart.open(file)
    if (part !== undefined) return part
    const [first] = await numbersOf(file)
    if (first === undefined) return 'none'
    return isLast ? LogPart.open(nameOf(file, first)) : undefined
  })
  return found === 'none' ? undefined : found
}

/** The part that was written first; undefined when nothing ever was. */
export async function oldestPart(file: string): Promise<LogPart | undefined> {
  const found = await patiently(async () => {
    const last = (await numbersOf(file)).at(-1)
    return last === undefined ? 'none' : LogPart.open(nameOf(file, last))
  })
  let oldest = found === 'none' ? undefined : found
  while (oldest !== undefined) {
    const older = await partBeside(file, oldest, -1)
    if (!(older instanceof LogPart)) return oldest
    await oldest.close()
    oldest = older
  }
  return undefined
}

/** The numbers of a log's files, from 0, the current one. One that moves while the folder is read may be missed. */
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

function nameOf(file: string, number: number): string {
  return number === 0 ? file : join(dirname(file), `${basename(file)}.${number}`)
}

async function inodeOf(path: string): Promise<bigint | undefined> {
  return (await stat(path, { bigint: true }).catch(() => undefined))?.ino
}
