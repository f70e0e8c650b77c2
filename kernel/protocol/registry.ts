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

/** `dryRun`: change nothing, and list what would be forgotten and removed. */
export interface CleanBody {
  readonly dryRun?: boolean
}

/** The logs of a project that is not known any more. */
export interface RemovedLogs {
  readonly project: string
  readonly path: string
  readonly bytes: number
}

/**
 * Projects whose folder is missing: the forgotten ones, and those that were kept because their services still run or
 * they are pinned.
 */
export interface CleanAnswer {
  readonly forgotten: readonly KnownProjectView[]
  readonly kept: readonly KnownProjectView[]
  readonly removed: readonly RemovedLogs[]
}
