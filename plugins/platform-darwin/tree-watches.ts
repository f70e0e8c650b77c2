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
const maxEvents = 4096
/** So many changed paths at once are looked at one by one; of more, everybody looks. */
const maxStatCalls = 32

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
  onEvent: (event: FolderEvent, name: string | null) => void,
) => { on(event: 'error', onError: (error: Error) => void): unknown; close(): void }

interface Listener {
  readonly onEvent: (event: FolderEvent, name: string | null) => void
  readonly onError: (error: unknown) => void
}

interface SharedWatch {
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
  readonly #shared = new Map<string, SharedWatch>()
  #events = 0
  #rescan: NodeJS.Timeout | undefined

  readonly #polls: FolderPolls
  #statCalls = 0

  /** @param watchTree fs.watch, or what tests have for it */
  constructor(watchTree: WatchTree = watch, polls: FolderPolls = new FolderPolls()) {
    this.#watch = watchTree
    this.#polls = polls
  }

  readonly open: OpenFolder = (folder, reach, onEvent, onError): FolderWatch => {
    const key = `${reach} ${folder}`
    const listener = { onEvent, onError }
    const shared = this.#shared.get(key) ?? this.#add(key, folder, reach)
    shared.listeners.add(listener)
    const close = () => {
      if (!shared.listeners.delete(listener) || shared.listeners.size > 0 || this.#shared.get(key) !== shared) return
      this.#shared.delete(key)
      shared.close()
    }
    return { deep: reach === 'tree', close }
  }

  #add(key: string, folder: string, reach: FolderReach): SharedWatch {
    const listeners = new Set<Listener>()
    const onEvent = (event: FolderEvent, name: string | null) => {
      for (const each of listeners) each.onEvent(event, name)
    }
    const onFailure = (error: unknown) => {
      // Node has closed it.
      if (this.#shared.get(key) === shared) this.#shared.delete(key)
      for (const { onError } of [...listeners]) onError(error)
    }
    const opened =
      reach === 'way' ? this.#polls.open(folder, onEvent) : this.#stream(folder, reach === 'tree', onEvent, onFailure)
    const shared = { listeners, close: () => opened.close() }
    this.#shared.set(key, shared)
    return shared
  }

  #stream(
    folder: string,
    recursive: boolean,
    onEvent: Listener['onEvent'],
    onFailure: Listener['onError'],
  ): { close(): void } {
    const watcher = this.#watch(folder, { persistent: false, recursive }, (event, name) => {
      this.#countEvent()
      if (event === 'change' && name !== null && recursive) this.#rescanIfFolder(join(folder, name))
      onEvent(event, name)
    })
    watcher.on('error', onFailure)
    this.#scheduleRescan()
    return {
      close: () => {
        watcher.close()
        this.#scheduleRescan()
      },
    }
  }

  /** Many changes below a folder may come as one of the folder itself (kFSEventStreamEventFlagMustScanSubDirs). */
  #rescanIfFolder(path: string): void {
    if (this.#statCalls >= maxStatCalls) {
      this.#scheduleRescan()
      return
    }
    this.#statCalls++
    const found = stat(path).then(
      info => info.isDirectory(),
      () => false,
    )
    void found.then(isFolder => {
      this.#statCalls--
      if (isFolder) this.#scheduleRescan()
    })
  }

  #countEvent(): void {
    this.#events++
    if (this.#events > maxEvents && this.#rescan === undefined) this.#scheduleRescan()
  }

  /** Everybody looks once more when a new stream runs and no more are to follow. */
  #scheduleRescan(): void {
    if (this.#rescan !== undefined) {
      this.#rescan.refresh()
      return
    }
    this.#rescan = setTimeout(() => {
      this.#rescan = undefined
      this.#events = 0
      const listeners = new Set([...this.#shared.values()].flatMap(shared => [...shared.listeners]))
      for (const { onEvent } of listeners) onEvent('change', null)
    }, restartMs).unref()
  }
}
