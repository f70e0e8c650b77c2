import { mkdirSync, rmSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A file, how large it is, and what is called when it makes room for others. */
interface Spilled {
  readonly size: number
  readonly evicted: () => void
  readonly written: Promise<boolean>
}

/**
 * Bodies on disk, bounded in all: the oldest make room. The folder is of this daemon alone, and deleted when it starts
 * and stops.
 */
export class Spill {
  readonly #folder: string
  readonly #max: number
  /** In the order of writing. */
  readonly #files = new Map<string, Spilled>()
  #size = 0
  #count = 0
  #isMade = false

  constructor(folder: string, max: number) {
    this.#folder = folder
    this.#max = max
  }

  /** Deletes what a daemon has left. */
  clear(): void {
    this.#files.clear()
    this.#size = 0
    this.#isMade = false
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** Writes a body and returns its name; undefined where it cannot have room. */
  write(pieces: readonly Buffer[], size: number, evicted: () => void): string | undefined {
    if (size > this.#max || !this.#make()) return undefined
    while (this.#size + size > this.#max) this.#evictOldest()
    const name = String(++this.#count)
    const written = writeFile(join(this.#folder, name), Buffer.concat(pieces, size), { mode: 0o600, flag: 'wx' }).then(
      () => true,
      () => false,
    )
    this.#files.set(name, { size, evicted, written })
    this.#size += size
    return name
  }

  async read(name: string): Promise<Buffer | undefined> {
    const file = this.#files.get(name)
    if (file === undefined || !(await file.written)) return undefined
    return await readFile(join(this.#folder, name)).catch(() => undefined)
  }

  remove(name: string): void {
    const file = this.#files.get(name)
    if (file === undefined) return
    this.#files.delete(name)
    this.#size -= file.size
    // Not before it exists, or it would stay.
    void file.written.then(() => rm(join(this.#folder, name), { force: true })).catch(() => undefined)
  }

  #evictOldest(): void {
    const [first] = this.#files
    if (first === undefined) return
    const [name, { evicted }] = first
    this.remove(name)
    evicted()
  }

  /** Creates the folder when it is first needed; false where that is impossible. */
  #make(): boolean {
    if (this.#isMade) return true
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
      this.#isMade = true
    } catch {
      return false
    }
    return true
  }
}
