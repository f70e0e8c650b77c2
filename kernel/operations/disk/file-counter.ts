import { lstat, opendir } from 'node:fs/promises'
import { join } from 'node:path'

/** Bytes of a block of `stat.blocks`. */
const blockBytes = 512

/** Sums up files until a deadline. */
export class FileCounter {
  readonly #deadline: number
  isComplete = true

  /** @param deadline performance.now() */
  constructor(deadline: number) {
    this.#deadline = deadline
  }

  /** Returns what a file or folder takes on disk; a link counts as itself. What vanishes meanwhile counts nothing. */
  async bytesIn(path: string): Promise<number> {
    if (performance.now() > this.#deadline) {
      this.isComplete = false
      return 0
    }
    const found = await lstat(path).catch(() => undefined)
    if (found === undefined) return 0
    let bytes = found.blocks * blockBytes
    if (found.isDirectory()) for (const name of await namesIn(path)) bytes += await this.bytesIn(join(path, name))
    return bytes
  }
}

/** Lists a folder; nothing for what is none, or is not there. */
export async function namesIn(folder: string): Promise<readonly string[]> {
  const names: string[] = []
  try {
    for await (const { name } of await opendir(folder)) names.push(name)
  } catch {
    // A file, or deleted meanwhile, or of another user.
  }
  return names
}
