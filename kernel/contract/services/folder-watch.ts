/**
 * A change of a folder's entry. `rename`: it was created, removed or replaced; `change`: its content or its metadata
 * has changed.
 */
export type FolderEvent = 'rename' | 'change'

/** A folder under watch. */
export interface FolderWatch {
  /** Whether it also reports changes in all folders below, which then need no watch. */
  readonly deep: boolean
  close(): void
}

/**
 * What a folder is watched for. `tree`: all below it; `folder`: its own entries; `way`: its entries, too, but it only
 * leads to a watched folder, so that a delay of a few seconds does no harm.
 */
export type FolderReach = 'way' | 'folder' | 'tree'

/**
 * Watches one folder, or all below it for `tree` where the system can do that at once. Calls `changed` with the name of
 * an entry or, where the watch is deep, a path below the folder, and `failed` when the watch has failed. Without a
 * name, `change` says that events may have been missed, and `rename` that the folders themselves may have been
 * replaced, too. Throws the system's error (ENOENT, EACCES, ENOSPC, EMFILE …).
 */
export type OpenFolder = (
  folder: string,
  reach: FolderReach,
  changed: (event: FolderEvent, name: string | null) => void,
  failed: (error: unknown) => void,
) => FolderWatch
