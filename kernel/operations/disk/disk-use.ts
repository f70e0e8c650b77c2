import { statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { DiskPart, ReadDisk } from '../../contract/plugin.ts'
import type { DiskAnswer, DiskEntry } from '../../protocol.ts'
import { FileCounter, namesIn } from './file-counter.ts'
import { readParts } from './plugin-parts.ts'

/** Counting stops after so long, ms. */
const limitMs = 10_000
/** An answer that is younger is given again, ms. */
const freshMs = 5000

/** What the kernel itself has in the data folder, beside services. */
const ownParts: Readonly<Record<string, string>> = {
  plugins: 'installed plugins',
  well: 'records of healthy services',
}

/** What `DiskUse` measures. */
export interface DiskUseInput {
  /** The data folder. */
  readonly data: string
  /** What lists the plugins' things. */
  readonly plugins: () => readonly ReadDisk[]
}

/** Measures what locald has on disk: on request, one file at a time, so that other work gets its turn. */
export class DiskUse {
  readonly #input: DiskUseInput
  #last: { readonly atMs: number; readonly answer: Promise<DiskAnswer> } | undefined

  constructor(input: DiskUseInput) {
    this.#input = input
  }

  /** Counts all, or returns the count that is under way or has just been made. */
  async measure(): Promise<DiskAnswer> {
    const now = performance.now()
    if (this.#last === undefined || now - this.#last.atMs > freshMs)
      this.#last = { atMs: now, answer: count(this.#input, now + limitMs) }
    return await this.#last.answer
  }
}

async function count({ data, plugins }: DiskUseInput, deadline: number): Promise<DiskAnswer> {
  const counter = new FileCounter(deadline)
  const [parts, services] = await Promise.all([readParts(plugins(), limitMs), countServices(data, counter)])
  const listed = parts.flatMap(part => part ?? [])
  const entries = [...services, ...(await countParts(data, listed, counter))].filter(({ bytes }) => bytes > 0)
  const { bavail, bsize } = await statfs(data)
  return {
    path: data,
    bytes: entries.reduce((sum, { bytes }) => sum + bytes, 0),
    freeBytes: bavail * bsize,
    complete: counter.isComplete && !parts.includes(undefined),
    entries: entries.toSorted((a, b) => b.bytes - a.bytes),
  }
}

async function countServices(data: string, counter: FileCounter): Promise<readonly DiskEntry[]> {
  const entries: DiskEntry[] = []
  for (const [folder, kind] of [['logs', 'logs'] as const, ['services', 'data'] as const])
    for (const project of await namesIn(join(data, folder)))
      for (const service of await namesIn(join(data, folder, project))) {
        const path = join(data, folder, project, service)
        entries.push({ kind, what: kind, name: null, project, service, path, bytes: await counter.bytesIn(path) })
      }
  return entries
}

/** Counts what plugins and the kernel have; other files in the data folder are one entry. */
async function countParts(
  data: string,
  listed: readonly DiskPart[],
  counter: FileCounter,
): Promise<readonly DiskEntry[]> {
  const own: readonly DiskPart[] = Object.entries(ownParts).map(([folder, what]) => ({
    what,
    path: join(data, folder),
  }))
  const entries: DiskEntry[] = []
  for (const part of [...listed, ...own]) {
    const { what, project = null, service = null } = part
    const found =
      'path' in part
        ? { name: null, path: part.path, bytes: await counter.bytesIn(part.path) }
        : { name: part.name, path: null, bytes: part.bytes }
    entries.push({ kind: 'other', what, project, service, ...found })
  }
  const named = new Set(['logs', 'services', ...entries.flatMap(({ path }) => path ?? [])])
  let bytes = 0
  for (const name of await namesIn(data))
    if (!named.has(name) && !named.has(join(data, name))) bytes += await counter.bytesIn(join(data, name))
  const rest = { what: 'other files of locald', name: null, project: null, service: null, path: data, bytes }
  return [...entries, { kind: 'other', ...rest }]
}
