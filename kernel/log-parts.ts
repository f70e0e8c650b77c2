import type { FileHandle } from 'node:fs/promises'
import { open, readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { systemCode } from './errors.ts'
import { pause } from './limits.ts'

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

  /** Another user of it, who closes it, too. */
  share(): LogPart {
    this.#users++
    return this
  }

  async close(): Promise<void> {
    if (--this.#users === 0) await this.#handle.close()
  }
}

/** Looks again this often when names move while they are looked at. */
const attempts = 20

/**
 * The part written right before (-1) or after (+1) one; `none` when there is no such (yet), `gone` when this one has fallen off.
 * A rotation in between is noticed: it moves the older files first, so a part that keeps its number has its neighbours where they
 * were.
 */
export async function partBeside(file: string, part: LogPart, step: -1 | 1): Promise<LogPart | 'none' | 'gone'> {
  for (let attempt = 1; ; attempt++) {
    const numbers = await numbersOf(file)
    const inodes = await Promise.all(numbers.map(number => inodeOf(nameOf(file, number))))
    const mine = numbers[inodes.indexOf(part.inode)]
    const further = numbers.filter(number => mine !== undefined && (step === 1 ? number < mine : number > mine))
    if (mine === undefined && (await part.isGone())) return 'gone'
    if (mine !== undefined && further.length === 0 && (mine === 0 || step === -1)) return 'none'
    if (mine !== undefined) {
      // One that somebody has removed is skipped in the end.
      const next = attempt < attempts ? mine - step : step === 1 ? further.at(-1) : further[0]
      const found = next === undefined ? undefined : await LogPart.open(nameOf(file, next))
      if (found !== undefined && (await inodeOf(nameOf(file, mine))) === part.inode) return found
      await found?.close()
    }
    if (attempt > attempts) return 'none'
    await pause(1)
  }
}

/** The part that was written last; undefined when nothing ever was. In the midst of a rotation that is not the current file. */
export async function newestPart(file: string): Promise<LogPart | undefined> {
  for (let attempt = 1; ; attempt++) {
    const part = await LogPart.open(file)
    const numbers = part === undefined ? await numbersOf(file) : []
    if (part !== undefined || numbers.length === 0) return part
    if (attempt > attempts) return LogPart.open(nameOf(file, numbers[0] ?? 0))
    await pause(1)
  }
}

/** The part that was written first; undefined when nothing ever was. */
export async function oldestPart(file: string): Promise<LogPart | undefined> {
  let oldest = await LogPart.open(nameOf(file, (await numbersOf(file)).at(-1) ?? 0))
  while (oldest !== undefined) {
    const older = await partBeside(file, oldest, -1)
    if (!(older instanceof LogPart)) return oldest
    await oldest.close()
    oldest = older
  }
  return undefined
}

/** The numbers of a log's files, from 0, the current one. */
async function numbersOf(file: string): Promise<readonly number[]> {
  const name = basename(file)
  const names = await readdir(dirname(file)).catch(() => [])
  return names
    .flatMap(entry =>
      entry === name ? [0] : entry.startsWith(`${name}.`) ? [Number(entry.slice(name.length + 1))] : [],
    )
    .filter(number => Number.isInteger(number))
    .sort((a, b) => a - b)
}

function nameOf(file: string, number: number): string {
  return number === 0 ? file : join(dirname(file), `${basename(file)}.${number}`)
}

async function inodeOf(path: string): Promise<bigint | undefined> {
  return (await stat(path, { bigint: true }).catch(() => undefined))?.ino
}
