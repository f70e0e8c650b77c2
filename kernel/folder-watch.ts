import { watch } from 'node:fs'

/** What happened to an entry of a folder: `rename`: it appeared, went or was replaced; `change`: its content or its metadata. */
export type FolderEvent = 'rename' | 'change'

/** A folder under watch. */
export interface FolderWatch {
  /** Whether it also reports what is below the folder's own folders, which then need no watch of their own. */
  readonly deep: boolean
  close(): void
}

/**
 * Watches one folder, or all below it where `isTree` is set and the system can do that at once. `heard` is called with the name of
 * an entry, a path below the folder where the watch is deep, or null when events were lost. Throws the system's error (ENOENT, EACCES, ENOSPC, EMFILE …).
 */
export type OpenFolder = (
  folder: string,
  isTree: boolean,
  heard: (event: FolderEvent, name: string | null) => void,
  failed: (error: unknown) => void,
) => FolderWatch

/** Changes of one file within this time are heard once; who listens looks later than that. ms */
const sameMs = 50

/** One watch of the system's for each folder, however many files it has. A log that is written there all the time costs little. */
export const openFolder: OpenFolder = (folder, _isTree, heard, failed) => {
  let last: string | null = null
  let lastAt = 0
  const watcher = watch(folder, { persistent: false }, (event, name) => {
    const now = performance.now()
    if (event === 'change' && name !== null && name === last && now - lastAt < sameMs) return
    last = event === 'change' ? name : null
    lastAt = now
    heard(event, name)
  })
  watcher.on('error', failed)
  return { deep: false, close: () => watcher.close() }
}
