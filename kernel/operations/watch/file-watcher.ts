import type { Stats } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import type { FolderEvent, FolderReach } from '../../contract/services/folder-watch.ts'
import { isBelow, isWithin } from '../../lib/subpath.ts'
import { statIfAny } from '../../system/stat.ts'
import { openFolder } from './folder-watcher.ts'
import { KnownFiles } from './known-files.ts'
import { PendingChanges } from './pending-changes.ts'
import { isBelowAny } from './subpath.ts'
import { FileLinks } from './symlinks.ts'
import { WatchProblems } from './watch-problems.ts'
import type { WatchRequest } from './watch-request.ts'
import { WatchedFolders } from './watched-folders.ts'

/**
 * When the system allows no more watches, all files are compared this often (ms), for at most this part of the time.
 */
const poll = { everyMs: 2000, part: 0.05 } as const
/** A larger tree is no project's sources: a home folder, or `/`. */
const mostFolders = 20_000
/** Folders that are read at the same time: more of them only take memory. */
const scannedAtOnce = 16

/** One pass over what is watched. */
interface Walk {
  /** Files that matter, and were there. */
  readonly seen: Set<string>
  folders: number
}

/**
 * Watches paths, not inodes: a path that is removed and comes back is watched again. Watches folders, never single
 * files, and remembers each file: only a change of its content or of its time of change counts, not of its mode or an
 * access.
 */
export class FileWatcher {
  readonly #request: WatchRequest
  readonly #pending: PendingChanges
  readonly #folders: WatchedFolders
  /** Folders in which nothing matters, though a watch from above reports it. */
  readonly #caches = new Set<string>()
  readonly #files: KnownFiles
  readonly #links = new FileLinks()
  readonly #faults: WatchProblems
  #isClosed = false
  #poll: NodeJS.Timeout | undefined
  #work: Promise<void>
  /** Resolves when changes are noticed from now on. */
  readonly armed: Promise<void>

  constructor(request: WatchRequest) {
    this.#request = request
    this.#files = new KnownFiles(request.matches === undefined)
    this.#faults = new WatchProblems(request.failed)
    this.#folders = new WatchedFolders({
      open: request.open ?? openFolder,
      links: this.#links,
      changed: (folder, event, name) => this.#noteChange(folder, event, name),
      failed: (folder, error) => {
        this.#fail(folder, error)
        this.#faults.report()
        if (this.#faults.isExhausted && !this.#isClosed) this.#pending.addAll(false)
      },
    })
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

  /** A hash of all files; undefined: not all could be read. */
  get signature(): string | undefined {
    return this.#faults.any ? undefined : this.#files.signature
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#pending.close()
    clearTimeout(this.#poll)
    this.#folders.drop(new Set([sep]))
    await this.#work
    this.#folders.drop(new Set([sep]))
  }

  async #arm(): Promise<void> {
    for (const path of this.#request.paths) {
      this.#watchWay(path)
      await this.#visit(path, { seen: new Set(), folders: 0 })
    }
    this.#files.takeChanged()
    this.#faults.report()
  }

  /** Compares again later if not all can be watched. */
  async #timed(work: () => Promise<void>): Promise<void> {
    const startMs = performance.now()
    await work()
    if (!this.#faults.isExhausted || this.#isClosed || this.#poll !== undefined) return
    const pauseMs = Math.max(poll.everyMs, (performance.now() - startMs) / poll.part)
    this.#poll = setTimeout(() => {
      this.#poll = undefined
      this.#faults.retry()
      this.#pending.addAll(true)
    }, pauseMs).unref()
  }

  /** Watches the folders on the way to a path: from the one above the root, or from the nearest that exists. */
  #watchWay(path: string): void {
    const { root } = this.#request
    for (let folder = dirname(path); ; folder = dirname(folder)) {
      const isInside = isWithin(folder, root)
      const isOpen = this.#watch(folder, isInside ? 'folder' : 'way')
      if (folder === dirname(folder) || (isOpen && !isInside)) return
    }
  }

  /** Whether the folder is watched. */
  #watch(folder: string, reach: FolderReach): boolean {
    if (this.#isClosed || this.#faults.isExhausted) return false
    try {
      this.#folders.add(folder, reach)
      return true
    } catch (error) {
      this.#fail(folder, error)
      return false
    }
  }

  #fail(path: string, error: unknown): void {
    // Only other users may be allowed to list a folder above the root.
    this.#faults.add(path, error, !isWithin(path, this.#request.root))
  }

  #failLimit(folder: string): void {
    const { paths, root } = this.#request
    this.#faults.addLimit(paths.find(path => isWithin(folder, path)) ?? root, mostFolders)
  }

  #noteChange(folder: string, event: FolderEvent, name: string | null): void {
    const isRename = event === 'rename'
    if (name === null) {
      if (!this.#isClosed) this.#pending.addAll(isRename)
      return
    }
    const path = join(folder, name)
    if (isBelowAny(path, this.#caches)) return
    if (isRename) {
      // The folder itself is reported by its own name.
      if (folder.endsWith(sep + name)) this.#note(folder, true)
      for (const link of this.#links.inFolder(dirname(path))) this.#note(link, true)
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

  /** Compares the pending paths, and reports what has changed since the last comparison. */
  async #look(): Promise<void> {
    const dirty = this.#pending.take()
    const others = new Set([...dirty].flatMap(([path, isAnother]) => (isAnother ? [path] : [])))
    const isCovered = (path: string) => !this.#links.has(path) && isBelowAny(path, others)
    this.#folders.drop(others)
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
    // Continuous changes are reported as one.
    if (this.#pending.continues) return
    this.#pending.rest()
    const changed = this.#files.takeChanged()
    if (changed.length > 0 && !this.#isClosed) this.#request.changed(changed)
  }

  /** Compares all files that matter at and below the paths with what was seen last. */
  async #examine(paths: ReadonlySet<string>): Promise<void> {
    const walk: Walk = { seen: new Set(), folders: 0 }
    await Promise.all([...paths].map(path => this.#visit(path, walk)))
    // What was not reached is not deleted.
    if (walk.folders <= mostFolders) this.#files.forgetUnseen(paths, walk.seen)
  }

  async #visit(path: string, walk: Walk): Promise<void> {
    const stats = await statIfAny(path)
    if (stats === undefined || this.#isClosed) return
    const target = await this.#links.follow(path)
    if (target !== undefined) this.#watch(dirname(target), 'folder')
    if (!stats.isDirectory()) {
      if (this.#matches(path)) await this.#compare(path, stats, walk)
    } else if (
      this.#enters(path) &&
      !(target !== undefined && (await this.#links.isLoop(path, folder => this.#folders.has(folder))))
    )
      await this.#scanTree(path, walk)
  }

  #enters(folder: string): boolean {
    const { paths, enters, matches } = this.#request
    if (matches === undefined) return false
    return paths.includes(folder) || enters?.(folder) !== false
  }

  /** Scans a folder and all below it, the upper ones first: of a tree that is too large these are watched. */
  async #scanTree(folder: string, walk: Walk): Promise<void> {
    for (let level = [folder]; level.length > 0; ) {
      const below: string[] = []
      for (let at = 0; at < level.length; at += scannedAtOnce) {
        const scanned = level.slice(at, at + scannedAtOnce).map(each => this.#scan(each, walk))
        below.push(...(await Promise.all(scanned)).flat())
      }
      level = below
    }
  }

  /** Compares the files of a folder, and returns the folders in it that are to be scanned. */
  async #scan(folder: string, walk: Walk): Promise<readonly string[]> {
    if (this.#isClosed || walk.folders > mostFolders) return []
    if (++walk.folders > mostFolders) this.#failLimit(folder)
    if (!this.#watch(folder, 'tree') && !this.#faults.isExhausted) return []
    try {
      const entries = await readdir(folder, { withFileTypes: true })
      const names = entries.map(({ name }) => name)
      if (this.#request.isCache?.(folder, names)) {
        this.#caches.add(folder)
        this.#folders.drop(new Set([folder]))
        return []
      }
      this.#caches.delete(folder)
      const folders = entries.filter(entry => entry.isDirectory()).map(({ name }) => join(folder, name))
      await Promise.all(
        entries.map(async entry => {
          const path = join(folder, entry.name)
          if (entry.isSymbolicLink()) return this.#visit(path, walk)
          if (entry.isDirectory() || !this.#matches(path)) return
          const stats = await statIfAny(path)
          if (stats !== undefined) await this.#compare(path, stats, walk)
        }),
      )
      return folders.filter(path => this.#enters(path))
    } catch (error) {
      this.#fail(folder, error)
      return []
    }
  }

  async #compare(file: string, stats: Stats, { seen }: Walk): Promise<void> {
    await this.#files.compare(file, stats)
    seen.add(file)
  }
}
