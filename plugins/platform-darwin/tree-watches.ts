import { watch } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { FolderEvent, FolderReach, FolderWatch, OpenFolder } from '../../kernel/contract/plugin.ts'
import type { Machine } from './features.ts'
import { FolderPolls } from './folder-polls.ts'

/** The framework with FSEvents. */
const framework = '/System/Library/Frameworks/CoreServices.framework'

/** Time until a new stream of events runs, after a change of the watches: ms. */
const restartMs = 500
/** macOS may drop some of this many events: then every listener rescans, once for each lot. */
const maxEvents = 4096
/** Changed paths that are looked at one by one; with more at once, every listener rescans. */
const maxStatCalls = 32

/**
 * Returns whether this machine has FSEvents, so that Node watches a whole tree at once; elsewhere it watches file by
 * file.
 */
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
 * Watches whole trees by FSEvents, without a descriptor for each file or folder. libuv has one stream for all watches
 * of a process and replaces it for each that is opened or closed, while the event loop waits for a closing one
 * (src/unix/fsevents.c of libuv 1.52, uv__fsevents_reschedule, uv__fsevents_close). So listeners of the same folder
 * share a watch, and after each change of the watches all of them rescan: a stream has no events from before it began.
 * Nor does libuv report events that the system dropped (kFSEventsSystem), as it does when very many come at once.
 */
export class TreeWatches {
  readonly #watch: WatchTree
  readonly #shared = new Map<string, SharedWatch>()
  #events = 0
  #rescan: NodeJS.Timeout | undefined

  readonly #polls: FolderPolls
  #statCalls = 0

  /** @param watchTree fs.watch, or a test's replacement */
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

  /**
   * Rescans a folder: the system may report many changes below it as one of the folder
   * (kFSEventStreamEventFlagMustScanSubDirs).
   */
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

  /** Makes every listener rescan once a new stream runs and the watches stay unchanged. */
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
