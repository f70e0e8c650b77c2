import type { ProcessTree } from './process-table.ts'

/** A service of a checkout, while services of another checkout of the same repository run as well. */
export interface WorktreeService {
  readonly key: string
  readonly name: string
  readonly project: string
  /** The folder of the project. */
  readonly path: string
  /** The `.git` folder of the repository (gitrepository-layout(5)). */
  readonly repository: string
  /** Which checkout: git's own folder of a linked worktree, or the repository's. */
  readonly checkout: string
  /** Its ports on this machine, the main one first. */
  readonly ports: readonly number[]
  /** Its host names, the main one first. */
  readonly hosts: readonly string[]
  /** When its process was started, ms since the epoch; null: none runs. */
  readonly startedMs: number | null
  /** The environment of its process: never for a message or a log. */
  readonly env: Readonly<Record<string, string>>
  /** The keys of services of other projects that its configuration names. */
  readonly named: readonly string[]
  /** Its process tree; absent without a process on this machine. */
  readonly tree?: ProcessTree | undefined
  /** The tables of plugins in its project's configuration, by name. */
  readonly tables: Readonly<Record<string, unknown>>
}

/** Services of repositories of which several checkouts (git-worktree(1)) run at the same time. */
export interface Worktrees {
  /** Returns those that run, start or have failed, or sleep until a request; none while each repository runs in one checkout. */
  services(): readonly WorktreeService[]
  /**
   * Returns what sets a variable of a service, as text: `.env:12`. Undefined where that is not known. Reads the files of
   * the project.
   */
  sourceOf(key: string, variable: string): Promise<string | undefined>
}
