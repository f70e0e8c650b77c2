/** What happened to an entry of a folder: `rename`: it appeared, went or was replaced; `change`: its content or its metadata. */
export type FolderEvent = 'rename' | 'change'

/** A folder under watch. */
export interface FolderWatch {
  /** Whether it also reports what is below the folder's own folders, which then need no watch of their own. */
  readonly deep: boolean
  close(): void
}

/**
 * What a folder is watched for: `tree`: all below it; `folder`: its own entries; `way`: its entries, too, but it only leads to what is
 * watched, and a few seconds late is soon enough.
 */
export type FolderReach = 'way' | 'folder' | 'tree'

/**
 * Watches one folder, or all below it for `tree` where the system can do that at once. `heard` is called with the name of
 * an entry or, where the watch is deep, a path below the folder; `failed` when the watch is over. Without a name, `change` says that
 * events may have been missed, and `rename` that the folders themselves may be others, too. Throws the system's error (ENOENT, EACCES,
 * ENOSPC, EMFILE …).
 */
export type OpenFolder = (
  folder: string,
  reach: FolderReach,
  heard: (event: FolderEvent, name: string | null) => void,
  failed: (error: unknown) => void,
) => FolderWatch
