import { watch } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { FolderEvent, FolderReach, FolderWatch, OpenFolder } from '../../kernel/contract/plugin.ts'
import type { Machine } from './features.ts'
import { FolderPolls } from './folder-polls.ts'

/** What FSEvents belongs to. */
const framework = '/System/Library/Frameworks/CoreServices.framework'

/** A new stream of events has begun by now: ms after the watches changed. */
const restartMs = 500
/** Of so many events macOS may have dropped some: everybody looks once for each lot. */
const manyEvents = 4096
/** So many changed paths at once are looked at one by one; of more, everybody looks. */
const mostLooks = 32

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

  readonly #polls: FolderPolls
  #looking = 0

  /** @param watchTree fs.watch, or what tests have for it */
  constructor(watchTree: WatchTree = watch, polls: FolderPolls = new FolderPolls()) {
    this.#watch = watchTree
    this.#polls = polls
  }

  readonly open: OpenFolder = (folder, reach, heard, failed): FolderWatch => {
    const key = `${reach} ${folder}`
    const listener = { heard, failed }
    const shared = this.#shared.get(key) ?? this.#add(key, folder, reach)
    shared.listeners.add(listener)
    const close = () => {
      if (!shared.listeners.delete(listener) || shared.listeners.size > 0 || this.#shared.get(key) !== shared) return
      this.#shared.delete(key)
      shared.close()
    }
    return { deep: reach === 'tree', close }
  }

  #add(key: string, folder: string, reach: FolderReach): Shared {
    const listeners = new Set<Listener>()
    const heard = (event: FolderEvent, name: string | null) => {
      for (const each of listeners) each.heard(event, name)
    }
    const over = (error: unknown) => {
      // Node has closed it.
      if (this.#shared.get(key) === shared) this.#shared.delete(key)
      for (const { failed } of [...listeners]) failed(error)
    }
    const opened =
      reach === 'way' ? this.#polls.open(folder, heard) : this.#stream(folder, reach === 'tree', heard, over)
    const shared = { listeners, close: () => opened.close() }
    this.#shared.set(key, shared)
    return shared
  }

  #stream(folder: string, recursive: boolean, heard: Listener['heard'], over: Listener['failed']): { close(): void } {
    const watcher = this.#watch(folder, { persistent: false, recursive }, (event, name) => {
      this.#count()
      if (event === 'change' && name !== null && recursive) this.#lookBelow(join(folder, name))
      heard(event, name)
    })
    watcher.on('error', over)
    this.#lookLater()
    return {
      close: () => {
        watcher.close()
        this.#lookLater()
      },
    }
  }

  /** Many changes below a folder may come as one of the folder itself (kFSEventStreamEventFlagMustScanSubDirs). */
  #lookBelow(path: string): void {
    if (this.#looking >= mostLooks) {
      this.#lookLater()
      return
    }
    this.#looking++
    const found = stat(path).then(
      info => info.isDirectory(),
      () => false,
    )
    void found.then(isFolder => {
      this.#looking--
      if (isFolder) this.#lookLater()
    })
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
