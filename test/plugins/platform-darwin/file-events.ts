import { lstatSync, readdirSync, realpathSync, type Stats } from 'node:fs'
import { basename, join } from 'node:path'
import type { WatchTree } from '../../../plugins/platform-darwin/tree-watches.ts'

const tickMs = 20
/** A new stream begins this much after it was asked for: ms. */
const startMs = 40

type Received = Parameters<WatchTree>[2]
type ProcessSnapshot = ReadonlyMap<string, Stats>

interface Handle {
  readonly path: string
  readonly recursive: boolean
  readonly received: Received
  before: ProcessSnapshot
  failed: ((error: Error) => void) | undefined
}

/**
 * fs.watch as Node has it on macOS, by FSEvents through libuv (src/unix/fsevents.c of libuv 1.52): by paths, resolved
 * when a watch is opened, not by inodes; one stream for all, which is replaced whenever a watch is opened or closed and
 * has no events of before it began; events of one file within the latency are one; a file that was created during the
 * stream is reported by `rename` also when it changes; the folder itself by its own name; a folder that was moved or
 * made with what is in it by one event; what is behind a link by none. It looks at the files now and then, as nothing
 * here reports paths.
 */
export class FileEvents {
  readonly #handles = new Set<Handle>()
  readonly #created = new Set<string>()
  #isStarting = false
  /** How often a stream was made. */
  streams = 0

  readonly watch: WatchTree = (folder, { recursive }, received) => {
    const path = realpathSync(folder)
    readdirSync(path)
    const handle: Handle = { path, recursive, received, before: new Map(), failed: undefined }
    this.#handles.add(handle)
    this.#restart()
    return {
      on: (_event, failed) => {
        handle.failed = failed
      },
      close: () => {
        if (this.#handles.delete(handle)) this.#restart()
      },
    }
  }

  /** What is watched, whether with what is below or not: it is subscribed to all the same. */
  get paths(): readonly string[] {
    return [...new Set([...this.#handles].map(({ path }) => path))].sort()
  }

  /** Reports what is changed as one change of a folder (a path below what is watched), as for very many changes. */
  coalesce(folder: string, change: () => void): void {
    change()
    for (const handle of this.#handles) {
      handle.before = seenFrom(handle)
      if (handle.recursive) handle.received('change', folder)
    }
  }

  /** Closes all watches as when no stream can be created (UV_EMFILE, reported to all handles). */
  fail(): void {
    const handles = [...this.#handles]
    this.#handles.clear()
    for (const { failed } of handles) failed?.(Object.assign(new Error('too many open files'), { code: 'EMFILE' }))
  }

  #restart(): void {
    this.streams++
    if (this.#isStarting) return
    this.#isStarting = true
    setTimeout(() => {
      this.#isStarting = false
      this.#created.clear()
      for (const handle of this.#handles) handle.before = seenFrom(handle)
      this.#tick()
    }, startMs).unref()
  }

  #tick(): void {
    if (this.#isStarting || this.#handles.size === 0) return
    for (const handle of this.#handles) this.#compare(handle)
    setTimeout(() => this.#tick(), tickMs).unref()
  }

  #compare(handle: Handle): void {
    const { path, before, received } = handle
    const now = seenFrom(handle)
    handle.before = now
    for (const name of new Set([...before.keys(), ...now.keys()])) {
      const [was, is] = [before.get(name), now.get(name)]
      const isAnother = idOf(was) !== idOf(is)
      const isBelowAnother = parentsOf(name).some(parent => idOf(before.get(parent)) !== idOf(now.get(parent)))
      if (isAnother && isBelowAnother) continue
      if (isAnother) this.#created.add(join(path, name))
      else if (is?.isDirectory() || (was?.mtimeMs === is?.mtimeMs && was?.ctimeMs === is?.ctimeMs)) continue
      received(this.#created.has(join(path, name)) ? 'rename' : 'change', name === '' ? basename(path) : name)
    }
  }
}

function seenFrom({ path, recursive }: Handle): ProcessSnapshot {
  const sight = new Map<string, Stats>()
  const look = (name: string) => {
    const info = lstatSync(join(path, name), { throwIfNoEntry: false })
    if (info === undefined) return
    sight.set(name, info)
    if (!info.isDirectory() || (name !== '' && !recursive)) return
    for (const entry of namesIn(join(path, name))) look(name === '' ? entry : `${name}/${entry}`)
  }
  look('')
  return sight
}

/** Linux gives the inode of what was removed to what is made next. */
function idOf(info: Stats | undefined): string | undefined {
  return info === undefined ? undefined : `${info.ino} ${info.birthtimeMs}`
}

/** None when the folder was deleted meanwhile. */
function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function parentsOf(name: string): readonly string[] {
  const parts = name.split('/')
  return name === '' ? [] : ['', ...parts.slice(1).map((_, at) => parts.slice(0, at + 1).join('/'))]
}
