import { createHash } from 'node:crypto'
import type { Stats } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import { FileLinks } from './file-links.ts'
import { contentSignature, signatureOf } from './file-signature.ts'
import { type FolderEvent, type FolderWatch, type OpenFolder, openFolder } from './folder-watch.ts'
import { PendingChanges } from './pending-changes.ts'
import { WatchFaults } from './watch-faults.ts'
import type { WatchProblem } from './watch-problem.ts'

/** Where the system allows no more watches all is looked at this often (ms), and for at most this part of the time. */
const poll = { everyMs: 2000, part: 0.05 } as const

/** What is watched: paths, also ones that are not there yet, and which of what is found there matters. */
export interface WatchRequest {
  /** The folder that may be renamed with all that is in it, and come back: that of the project. */
  readonly root: string
  readonly paths: readonly string[]
  /** Files below the paths that matter, absolute; absent: only the paths themselves, as files whose content matters. */
  readonly matches?: (file: string) => boolean
  /** Whether a folder below the paths may have files that matter. */
  readonly enters?: (folder: string) => boolean
  /** Whether nothing in a folder with these entries matters. */
  readonly isCache?: (folder: string, names: readonly string[]) => boolean
  /** Called with the files that changed, at most once at a time. */
  readonly changed: (files: readonly string[]) => void
  /** Called once for each cause; undefined: the system allows enough watches again. */
  readonly failed: (problem: WatchProblem | undefined) => void
  /** How the system watches a folder. */
  readonly open?: OpenFolder
}

/**
 * Watches paths, not inodes: what is removed and comes back is watched again. Folders are watched, never single files; what a file
 * was like is remembered, so that only a change of its content or of its time of change counts, not its mode or an access.
 */
export class FileWatch {
  readonly #request: WatchRequest
  readonly #open: OpenFolder
  readonly #pending: PendingChanges
  readonly #folders = new Map<string, FolderWatch>()
  /** Those of them that also report what is in folders below. */
  readonly #deep = new Set<string>()
  /** Files that matter, as they were seen last. */
  readonly #known = new Map<string, string>()
  readonly #links = new FileLinks()
  /** Files that have changed and were not reported yet. */
  readonly #changed = new Set<string>()
  readonly #faults: WatchFaults
  #isClosed = false
  #poll: NodeJS.Timeout | undefined
  #work: Promise<void>
  /** Resolves when changes are noticed from now on. */
  readonly armed: Promise<void>

  constructor(request: WatchRequest) {
    this.#request = request
    this.#open = request.open ?? openFolder
    this.#faults = new WatchFaults(request.failed)
    this.#pending = new PendingChanges({
      all: request.paths,
      isInside: path => request.paths.some(wanted => isWithin(path, wanted)),
      settled: () => {
        this.#work = this.#work
          .then(() => this.#timed(() => this.#look()))
          .catch(error => this.#fail(request.root, error))
      },
    })
    this.armed = this.#work = this.#timed(() => this.#arm())
  }

  /** A hash of what all files were like; undefined: not all could be seen. */
  get signature(): string | undefined {
    if (this.#faults.any) return undefined
    const hash = createHash('sha1')
    for (const file of [...this.#known.keys()].sort()) hash.update(`${file}\0${this.#known.get(file)}\n`)
    return hash.digest('hex')
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#pending.close()
    clearTimeout(this.#poll)
    this.#dropAll(new Set([sep]))
    await this.#work
    this.#dropAll(new Set([sep]))
  }

  async #arm(): Promise<void> {
    for (const path of this.#request.paths) {
      this.#watchWay(path)
      await this.#visit(path, new Set())
    }
    this.#changed.clear()
    this.#faults.report()
  }

  /** Looks again later if not all can be watched. */
  async #timed(work: () => Promise<void>): Promise<void> {
    const startMs = performance.now()
    await work()
    if (!this.#faults.isExhausted || this.#isClosed || this.#poll !== undefined) return
    const pauseMs = Math.max(poll.everyMs, (performance.now() - startMs) / poll.part)
    this.#poll = setTimeout(() => {
      this.#poll = undefined
      this.#faults.retry()
      this.#pending.addAll()
    }, pauseMs).unref()
  }

  /** Watches the folders on the way to a path: from the one above the root, or from the nearest that there is. */
  #watchWay(path: string): void {
    const { root } = this.#request
    for (let folder = dirname(path); ; folder = dirname(folder)) {
      const isOpen = this.#watch(folder)
      if (folder === dirname(folder) || (isOpen && !isWithin(folder, root))) return
    }
  }

  /** Whether the folder is watched. */
  #watch(folder: string, isTree = false): boolean {
    if (this.#isClosed || this.#faults.isExhausted) return false
    if (this.#folders.has(folder) || [...this.#deep].some(above => isBelow(folder, above))) return true
    try {
      const heard = (event: FolderEvent, name: string | null) => this.#hear(folder, event, name)
      const watch = this.#open(folder, isTree, heard, error => {
        this.#fail(folder, error)
        this.#faults.report()
      })
      this.#folders.set(folder, watch)
      if (watch.deep) this.#deep.add(folder)
      return true
    } catch (error) {
      this.#fail(folder, error)
      return false
    }
  }

  #fail(path: string, error: unknown): void {
    // A folder above the root may be one that only others may list.
    this.#faults.add(path, error, !isWithin(path, this.#request.root))
  }

  #hear(folder: string, event: FolderEvent, name: string | null): void {
    if (name === null) {
      this.#pending.addAll()
      return
    }
    const path = join(folder, name)
    const isRename = event === 'rename'
    if (isRename) {
      // The folder itself is reported by its own name.
      if (folder.endsWith(sep + name)) this.#note(folder, true)
      for (const link of this.#links.inFolder(folder)) this.#note(link, true)
    }
    for (const link of this.#links.leadingTo(path)) this.#note(link, isRename)
    if (this.#folders.has(path) && !isRename) return
    if (this.#isWay(path) || this.#isOfInterest(path, isRename)) this.#note(path, isRename)
  }

  #isWay(path: string): boolean {
    return this.#request.paths.some(wanted => isBelow(wanted, path))
  }

  #isOfInterest(path: string, isRename: boolean): boolean {
    const { paths, enters } = this.#request
    if (paths.includes(path)) return true
    if (!paths.some(wanted => isBelow(path, wanted))) return false
    return this.#matches(path) || (isRename && enters?.(path) === true)
  }

  #matches(file: string): boolean {
    const { paths, matches } = this.#request
    return matches === undefined ? paths.includes(file) : matches(file)
  }

  #note(path: string, isAnother: boolean): void {
    if (!this.#isClosed) this.#pending.add(path, isAnother)
  }

  /** Looks at what was heard of, and reports what has changed since it was seen last. */
  async #look(): Promise<void> {
    const dirty = this.#pending.take()
    const others = new Set([...dirty].flatMap(([path, isAnother]) => (isAnother ? [path] : [])))
    const isCovered = (path: string) => !this.#links.has(path) && isBelowAny(path, others)
    this.#dropAll(others)
    const examined = new Set<string>()
    for (const path of dirty.keys()) {
      if (isCovered(path)) continue
      for (const wanted of this.#request.paths.filter(wanted => isBelow(wanted, path))) {
        this.#watchWay(wanted)
        examined.add(wanted)
      }
      if (!this.#isOfInterest(path, true)) continue
      examined.add(path)
      if (this.#request.paths.includes(path)) this.#watchWay(path)
    }
    await this.#examine(examined)
    this.#faults.report()
    // What goes on is reported as one.
    if (this.#pending.continues) return
    this.#pending.rest()
    const changed = [...this.#changed]
    this.#changed.clear()
    if (changed.length > 0 && !this.#isClosed) this.#request.changed(changed)
  }

  /** Compares all that matters at and below the paths with what it was. */
  async #examine(paths: ReadonlySet<string>): Promise<void> {
    const seen = new Set<string>()
    await Promise.all([...paths].map(path => this.#visit(path, seen)))
    for (const file of this.#known.keys()) {
      if (seen.has(file) || !(paths.has(file) || isBelowAny(file, paths))) continue
      this.#known.delete(file)
      this.#changed.add(file)
    }
  }

  async #visit(path: string, seen: Set<string>): Promise<void> {
    const stats = await stat(path).catch(() => undefined)
    if (stats === undefined || this.#isClosed) return
    const target = await this.#links.follow(path)
    if (target !== undefined) this.#watch(dirname(target))
    if (!stats.isDirectory()) {
      if (this.#matches(path)) await this.#compare(path, stats, seen)
    } else if (
      this.#enters(path) &&
      !(target !== undefined && (await this.#links.isLoop(path, folder => this.#folders.has(folder))))
    )
      await this.#scan(path, seen)
  }

  #enters(folder: string): boolean {
    const { paths, enters, matches } = this.#request
    if (matches === undefined) return false
    return paths.includes(folder) || enters?.(folder) !== false
  }

  async #scan(folder: string, seen: Set<string>): Promise<void> {
    if (!this.#watch(folder, true) && !this.#faults.isExhausted) return
    try {
      const entries = await readdir(folder, { withFileTypes: true })
      const names = entries.map(({ name }) => name)
      if (this.#request.isCache?.(folder, names)) return this.#dropAll(new Set([folder]))
      await Promise.all(
        entries.map(async entry => {
          const path = join(folder, entry.name)
          if (entry.isSymbolicLink()) return this.#visit(path, seen)
          if (entry.isDirectory()) return this.#enters(path) ? this.#scan(path, seen) : undefined
          if (!this.#matches(path)) return
          const stats = await stat(path).catch(() => undefined)
          if (stats !== undefined) await this.#compare(path, stats, seen)
        }),
      )
    } catch (error) {
      this.#fail(folder, error)
    }
  }

  async #compare(file: string, stats: Stats, seen: Set<string>): Promise<void> {
    const isContent = this.#request.matches === undefined
    const signature = isContent ? await contentSignature(file, stats) : signatureOf(stats)
    seen.add(file)
    if (this.#known.get(file) !== signature) this.#changed.add(file)
    this.#known.set(file, signature)
  }

  /** Forgets the watches at and below paths: what is there may be another folder now. */
  #dropAll(paths: ReadonlySet<string>): void {
    for (const [folder, watch] of this.#folders) {
      if (!paths.has(folder) && !isBelowAny(folder, paths)) continue
      watch.close()
      this.#folders.delete(folder)
      this.#deep.delete(folder)
    }
  }
}

function isBelow(path: string, folder: string): boolean {
  return path.length > folder.length && path.startsWith(folder.endsWith(sep) ? folder : folder + sep)
}

/** Whether one of the folders is above the path. */
function isBelowAny(path: string, folders: ReadonlySet<string>): boolean {
  if (folders.size === 0) return false
  for (let at = dirname(path); ; at = dirname(at)) {
    if (folders.has(at)) return true
    if (at === dirname(at)) return false
  }
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || isBelow(path, folder)
}
