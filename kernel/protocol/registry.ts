/** A project that was started once, running or not. */
export interface KnownProjectView {
  readonly name: string
  readonly path: string
  readonly domain: string
  readonly pinned: boolean
  /** Whether its folder is there. */
  readonly exists: boolean
  /** UTC ISO 8601 of the last `up`. */
  readonly usedAt: string
  /** The branch of the linked git worktree that it is in, as in its domain; absent elsewhere. */
  readonly branch?: string
  /** The same folder in the main checkout, where it is in a linked git worktree. */
  readonly mainCheckout?: string
  /** Why it could not be started with the daemon. */
  readonly problem: string | null
}

export interface RegistryAnswer {
  readonly projects: readonly KnownProjectView[]
}

/** `projects`: names; none: the project that `path` is in. */
export interface PinBody {
  readonly path: string
  readonly projects: readonly string[]
  readonly pinned: boolean
}

/** The folders of projects, which do not exist any more. */
export interface ForgetBody {
  readonly paths: readonly string[]
}

/**
 * `dryRun`: change nothing, and list what would be forgotten and removed. `data`: the data that may be removed, of
 * that which the answer lists, by its path or name.
 */
export interface CleanBody {
  readonly dryRun?: boolean
  readonly data?: readonly string[]
}

/** Files of a project that locald has; `bytes` is what they take on disk. */
export interface RemovedFiles {
  readonly project: string
  readonly path: string
  readonly bytes: number
}

/** Data of a project whose folder was deleted: files of its services, or what a plugin keeps for it by a name. */
export interface DeletedData {
  readonly project: string
  /** In words: `data`, `docker volume`. */
  readonly what: string
  /** Null for files. */
  readonly name: string | null
  /** Absolute; null for what a container engine keeps. */
  readonly path: string | null
  readonly bytes: number
  readonly removed: boolean
}

/**
 * Projects whose folder is missing: the forgotten ones, and those that were kept because their services still run, they
 * are pinned or their data stays. `removed`: the logs of projects that are not known any more.
 */
export interface CleanAnswer {
  readonly forgotten: readonly KnownProjectView[]
  readonly kept: readonly KnownProjectView[]
  readonly data: readonly DeletedData[]
  readonly removed: readonly RemovedFiles[]
}
