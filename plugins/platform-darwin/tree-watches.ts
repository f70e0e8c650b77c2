import { watch } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { FolderEvent, FolderWatch, OpenFolder } from '../../kernel/plugin.ts'
import type { Machine } from './features.ts'

/** What FSEvents belongs to. */
const framework = '/System/Library/Frameworks/CoreServices.framework'

/** A new stream of events has begun by now: ms after the watches changed. */
const restartMs = 500
/** Of so many events macOS may have dropped some: everybody looks once for each lot. */
const manyEvents = 4096

/** Whether this machine has FSEvents, so that Node watches a whole tree at once; elsewhere it does so file by file. */
export async function hasFileEvents({ root }: Pick<Machine, 'root'>): Promise<boolean> {
  return stat(join(root, framework)).then(
    it => it.isDirectory(),
    () => false,
  )
}

/** The part of fs.watch that is used. */
export type WatchTree = (
  folder: string,
  options: { readonly persistent: false; readonly recursive: boolean },
  heard: (event: FolderEvent, name: string | null) => void,
) => { on(event: 'error', failed: (error: Error) => void): unknown; close(): void }

interface Listener {
  readonly heard: (event: FolderEvent, name: string | null) => void
  readonly failed: (error: unknown) => void
}

interface Shared {
  readonly listeners: Set<Listener>
  close(): void
}

/**
 * Whole trees under watch, by FSEvents: no descriptor for any file or folder. libuv has one stream for all of a process's watches and
 * makes another for each that is opened or closed, while the event loop waits for one that is closed (src/unix/fsevents.c of libuv 1.52,
 * uv__fsevents_reschedule, uv__fsevents_close). So who watches the same folder shares a watch, and after each change of the watches all
 * are told that they may have missed something: a stream has no events of before it began. Nor does libuv tell when the system dropped
 * events (kFSEventsSystem), as it does when very many come at once.
 */
export class TreeWatches {
  readonly #watch: WatchTree
  readonly #shared = new Map<string, Shared>()
  #events = 0
  #look: NodeJS.Timeout | undefined

  /** @param watchTree fs.watch, or what tests have for it */
  constructor(watchTree: WatchTree = watch) {
    this.#watch = watchTree
  }

  readonly open: OpenFolder = (folder, isTree, heard, failed): FolderWatch => {
    const key = `${isTree} ${folder}`
    const listener = { heard, failed }
    const shared = this.#shared.get(key) ?? this.#add(key, folder, isTree)
    shared.listeners.add(listener)
    const close = () => {
      if (!shared.listeners.delete(listener) || shared.listeners.size > 0 || this.#shared.get(key) !== shared) return
      this.#shared.delete(key)
      shared.close()
      this.#lookLater()
    }
    return { deep: isTree, close }
  }

  #add(key: string, folder: string, isTree: boolean): Shared {
    const listeners = new Set<Listener>()
    const watcher = this.#watch(folder, { persistent: false, recursive: isTree }, (event, name) => {
      this.#count()
      for (const { heard } of listeners) heard(event, name)
    })
    const shared = { listeners, close: () => watcher.close() }
    watcher.on('error', error => {
      // Node has closed it.
      if (this.#shared.get(key) === shared) this.#shared.delete(key)
      for (const { failed } of [...listeners]) failed(error)
    })
    this.#shared.set(key, shared)
    this.#lookLater()
    return shared
  }

  #count(): void {
    this.#events++
    if (this.#events > manyEvents && this.#look === undefined) this.#lookLater()
  }

  /** Everybody looks once more when a new stream runs and no more are to follow. */
  #lookLater(): void {
    if (this.#look !== undefined) {
      this.#look.refresh()
      return
    }
    this.#look = setTimeout(() => {
      this.#look = undefined
      this.#events = 0
      const listeners = new Set([...this.#shared.values()].flatMap(shared => [...shared.listeners]))
      for (const { heard } of listeners) heard('change', null)
    }, restartMs).unref()
  }
}
