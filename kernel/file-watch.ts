import type { Stats } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import { systemCode } from './errors.ts'
import { contentSignature, signatureOf } from './file-signature.ts'
import { type FolderEvent, type FolderWatch, type OpenFolder, openFolder } from './folder-watch.ts'
import { isExhaustion, problemOf, type WatchProblem } from './watch-problem.ts'

/** Changes within this time are one: an editor writes a file in several steps. ms */
const settleMs = 100

/** What is watched: paths, also ones that are not there yet, and which of what is found there matters. */
export interface WatchRequest {
  /** The folder that may be renamed with all that is in it, and come back: that of the project. */
  readonly root: string
  readonly paths: readonly string[]
  /** Files below the paths that matter, absolute; absent: only the paths themselves, as files whose content matters. */
  readonly matches?: (file: string) => boolean
  /** Whether a folder below the paths may have files that matter. */
  readonly enters?: (folder: string) => boolean
  /** Called with the files that changed, at most once at a time. */
  readonly changed: (files: readonly string[]) => void
  /** Called once for each cause. */
  readonly failed: (problem: WatchProblem) => void
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
  readonly #folders = new Map<string, FolderWatch>()
  /** Those of them that also report what is in folders below. */
  readonly #deep = new Set<string>()
  /** Files that matter, as they were seen last. */
  readonly #known = new Map<string, string>()
  /** Links below the paths, and where they lead. */
  readonly #links = new Map<string, string>()
  /** What has to be looked at; true: it may be another than before. */
  readonly #dirty = new Map<string, boolean>()
  readonly #reported = new Set<string>()
  #faults: { readonly code: string; readonly path: string; readonly error: unknown }[] = []
  #isExhausted = false
  #isClosed = false
  #timer: NodeJS.Timeout | undefined
  #work: Promise<void>
  /** Resolves when changes are noticed from now on. */
  readonly armed: Promise<void>

  constructor(request: WatchRequest) {
    this.#request = request
    this.#open = request.open ?? openFolder
    this.armed = this.#work = this.#arm()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#drop(sep)
    await this.#work
    this.#drop(sep)
  }

  async #arm(): Promise<void> {
    for (const path of this.#request.paths) {
      this.#watchWay(path)
      await this.#examine(path, new Set())
    }
    this.#reportFaults()
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
    if (this.#isClosed || this.#isExhausted) return false
    if (this.#folders.has(folder) || [...this.#deep].some(above => isBelow(folder, above))) return true
    try {
      const heard = (event: FolderEvent, name: string | null) => this.#hear(folder, event, name)
      const watch = this.#open(folder, isTree, heard, error => {
        this.#fail(folder, error)
        this.#reportFaults()
      })
      this.#folders.set(folder, watch)
      if (watch.deep) this.#deep.add(folder)
      return true
    } catch (error) {
      this.#fail(folder, error)
      return false
    }
  }

  /** What is missing is no problem: its return is noticed. Nor is a folder above the root that only others may list. */
  #fail(path: string, error: unknown): void {
    const code = systemCode(error) ?? ''
    const isDenied = code === 'EACCES' || code === 'EPERM'
    if (code === 'ENOENT' || code === 'ENOTDIR' || (isDenied && !isWithin(path, this.#request.root))) return
    if (isExhaustion(code)) this.#isExhausted = true
    this.#faults.push({ code, path, error })
  }

  #hear(folder: string, event: FolderEvent, name: string | null): void {
    if (name === null) {
      for (const path of this.#request.paths) this.#note(path, true)
      return
    }
    const path = join(folder, name)
    const isRename = event === 'rename'
    if (isRename) {
      // The folder itself is reported by its own name.
      if (folder.endsWith(sep + name)) this.#note(folder, true)
      for (const link of this.#links.keys()) if (dirname(link) === folder) this.#note(link, true)
    }
    for (const [link, target] of this.#links) if (target === path) this.#note(link, isRename)
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
    if (this.#isClosed) return
    this.#dirty.set(path, isAnother || this.#dirty.get(path) === true)
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#work = this.#work.then(() => this.#look()).catch(error => this.#fail(path, error))
    }, settleMs).unref()
  }

  /** Looks at what was heard of, and reports what has changed since it was seen last. */
  async #look(): Promise<void> {
    const dirty = new Map(this.#dirty)
    this.#dirty.clear()
    const changed = new Set<string>()
    for (const [path, isAnother] of dirty) {
      const isInAnother = [...dirty].some(([other, isWhole]) => isWhole && isBelow(path, other))
      if (isInAnother && !this.#links.has(path)) continue
      if (isAnother) this.#drop(path)
      for (const wanted of this.#request.paths.filter(wanted => isBelow(wanted, path))) {
        this.#watchWay(wanted)
        await this.#examine(wanted, changed)
      }
      if (this.#isOfInterest(path, true)) await this.#examine(path, changed)
    }
    this.#reportFaults()
    if (changed.size > 0 && !this.#isClosed) this.#request.changed([...changed])
  }

  /** Compares all that matters at and below a path with what it was. */
  async #examine(path: string, changed: Set<string>): Promise<void> {
    const seen = new Set<string>()
    await this.#visit(path, seen, changed)
    for (const file of [...this.#known.keys()]) {
      if ((file !== path && !isBelow(file, path)) || seen.has(file)) continue
      this.#known.delete(file)
      changed.add(file)
    }
  }

  async #visit(path: string, seen: Set<string>, changed: Set<string>): Promise<void> {
    const stats = await stat(path).catch(() => undefined)
    if (stats === undefined || this.#isClosed) return
    const isLink = (await this.#followLink(path)) !== undefined
    if (!stats.isDirectory()) {
      if (this.#matches(path)) await this.#compare(path, stats, seen, changed)
    } else if (this.#enters(path) && !(isLink && (await this.#isLoop(path)))) await this.#scan(path, seen, changed)
  }

  #enters(folder: string): boolean {
    const { paths, enters, matches } = this.#request
    if (matches === undefined) return false
    return paths.includes(folder) || enters?.(folder) !== false
  }

  /** Remembers where a link leads, and watches the folder it leads into. */
  async #followLink(path: string): Promise<string | undefined> {
    const [own, above] = await Promise.all([realpath(path), realpath(dirname(path))]).catch(() => [])
    this.#links.delete(path)
    if (own === undefined || above === undefined || own === join(above, path.slice(dirname(path).length))) return
    this.#links.set(path, own)
    this.#watch(dirname(own))
    return own
  }

  /** Whether a link leads to a folder that it is in, or that another link leads to already. */
  async #isLoop(link: string): Promise<boolean> {
    const target = this.#links.get(link)
    if (target === undefined) return false
    const at = await realpath(dirname(link)).catch(() => target)
    if (at === target || isBelow(at, target)) return true
    return [...this.#links].some(([other, leads]) => other !== link && leads === target && this.#folders.has(other))
  }

  async #scan(folder: string, seen: Set<string>, changed: Set<string>): Promise<void> {
    if (!this.#watch(folder, true)) return
    try {
      const entries = await readdir(folder, { withFileTypes: true })
      await Promise.all(
        entries.map(async entry => {
          const path = join(folder, entry.name)
          if (entry.isSymbolicLink()) return this.#visit(path, seen, changed)
          if (entry.isDirectory()) return this.#enters(path) ? this.#scan(path, seen, changed) : undefined
          if (!this.#matches(path)) return
          const stats = await stat(path).catch(() => undefined)
          if (stats !== undefined) await this.#compare(path, stats, seen, changed)
        }),
      )
    } catch (error) {
      this.#fail(folder, error)
    }
  }

  async #compare(file: string, stats: Stats, seen: Set<string>, changed: Set<string>): Promise<void> {
    const isContent = this.#request.matches === undefined
    const signature = isContent ? await contentSignature(file, stats) : signatureOf(stats)
    seen.add(file)
    if (this.#known.get(file) !== signature) changed.add(file)
    this.#known.set(file, signature)
  }

  /** Forgets the watches at and below a path: what is there may be another folder now. */
  #drop(path: string): void {
    for (const [folder, watch] of this.#folders) {
      if (folder !== path && !isBelow(folder, path)) continue
      watch.close()
      this.#folders.delete(folder)
      this.#deep.delete(folder)
    }
  }

  /** One report for each cause, however many folders it concerns. */
  #reportFaults(): void {
    const faults = this.#faults
    this.#faults = []
    for (const code of new Set(faults.map(fault => fault.code))) {
      const [first, ...more] = faults.filter(fault => fault.code === code)
      if (first === undefined || this.#reported.has(code)) continue
      this.#reported.add(code)
      this.#request.failed(problemOf(code, first.path, more.length, first.error))
    }
  }
}

function isBelow(path: string, folder: string): boolean {
  return path.length > folder.length && path.startsWith(folder.endsWith(sep) ? folder : folder + sep)
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || isBelow(path, folder)
}
