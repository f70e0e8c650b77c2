import { lstat, opendir, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { DiskAnswer, DiskEntry } from '../protocol.ts'

/** Counting stops after so long, ms. */
const limitMs = 5000
/** An answer that is younger is given again, ms. */
const freshMs = 5000
/** Bytes of a block of `stat.blocks`. */
const blockBytes = 512

/** Measures what locald has on disk: on request, one file at a time, so that other work gets its turn. */
export class DiskUse {
  readonly #data: string
  #last: { readonly atMs: number; readonly answer: Promise<DiskAnswer> } | undefined

  /** @param data the data folder */
  constructor(data: string) {
    this.#data = data
  }

  /** Counts all, or returns the count that is under way or has just been made. */
  async measure(): Promise<DiskAnswer> {
    const now = performance.now()
    if (this.#last === undefined || now - this.#last.atMs > freshMs)
      this.#last = { atMs: now, answer: count(this.#data, now + limitMs) }
    return await this.#last.answer
  }
}

async function count(data: string, deadline: number): Promise<DiskAnswer> {
  const counter = new Counter(deadline)
  const entries: DiskEntry[] = []
  for (const name of await namesIn(data)) {
    const kind = name === 'logs' ? 'logs' : name === 'services' ? 'data' : 'other'
    if (kind === 'other') {
      const path = join(data, name)
      entries.push({ kind, project: null, service: null, path, bytes: await counter.bytesIn(path) })
      continue
    }
    for (const project of await namesIn(join(data, name)))
      for (const service of await namesIn(join(data, name, project))) {
        const path = join(data, name, project, service)
        entries.push({ kind, project, service, path, bytes: await counter.bytesIn(path) })
      }
  }
  const { bavail, bsize } = await statfs(data)
  const found = entries.filter(({ bytes }) => bytes > 0)
  return {
    path: data,
    bytes: found.reduce((sum, { bytes }) => sum + bytes, 0),
    freeBytes: bavail * bsize,
    complete: counter.isComplete,
    entries: found.toSorted((a, b) => b.bytes - a.bytes),
  }
}

/** Sums up files until a deadline. */
class Counter {
  readonly #deadline: number
  isComplete = true

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

async function namesIn(folder: string): Promise<readonly string[]> {
  const names: string[] = []
  try {
    for await (const { name } of await opendir(folder)) names.push(name)
  } catch {
    // A file, or deleted meanwhile, or of another user.
  }
  return names
}
