import type { Log, ProcessTable } from '../../contract/plugin.ts'
import { messageOf } from '../../errors.ts'
import type { Events } from '../../events.ts'
import type { Project } from '../../projects/project.ts'
import type { Projects } from '../../projects/projects.ts'
import { namesOf } from '../../projects/selectors.ts'
import {
  deletedReason,
  type FolderIdentity,
  findAbove,
  identifyFolder,
  isDeleted,
  isMissing,
} from '../../registry/folder-identity.ts'

/** What stopping services of deleted folders needs. */
export interface DeletedFoldersInput {
  readonly projects: Pick<Projects, 'list'>
  readonly events: Events
  readonly log: Log
  readonly table: () => Pick<ProcessTable, 'folder'> | undefined
  /** Stops services that `names` returns in the project's turn. */
  readonly stop: (project: Project, names: () => readonly string[], why: string) => Promise<void>
}

/** A folder that is replaced by another one within this time was not deleted: ms. */
const graceMs = 5000

/** Stops the services of projects whose folder was deleted, such as by `git worktree remove`. */
export class DeletedFolders {
  readonly #input: DeletedFoldersInput
  readonly #known = new Map<string, FolderIdentity>()
  readonly #pending = new Map<string, NodeJS.Timeout>()
  #isClosed = false

  constructor(input: DeletedFoldersInput) {
    this.#input = input
  }

  /** Remembers which folder a project has, and returns that; `before` is what an earlier daemon remembered. */
  remember(path: string, before?: FolderIdentity): FolderIdentity | undefined {
    const identity = identifyFolder(path) ?? this.#known.get(path) ?? before
    if (identity !== undefined) this.#known.set(path, identity)
    return identity
  }

  /** Looks whether folders of projects that are up are missing, and remembers those that were replaced. */
  look(): void {
    for (const project of this.#input.projects.list()) {
      if (project.wanted.size === 0) continue
      this.remember(project.ref.path)
      this.check(project)
    }
  }

  /** Stops a project's services if its folder is missing, and still is after a while. */
  check(project: Project): void {
    const { path } = project.ref
    if (this.#isClosed || this.#pending.has(path) || !isMissing(path)) return
    const timer = setTimeout(() => {
      void this.#confirm(project)
        .catch(error => this.#input.log.warn(`${project.ref.name}: ${messageOf(error)}`))
        .finally(() => this.#pending.delete(path))
    }, graceMs)
    this.#pending.set(path, timer.unref())
  }

  /** Returns the new folder of a project, as its services see it; undefined where that is not known. */
  whereIs(project: Project): string | undefined {
    const identity = this.#known.get(project.ref.path)
    return identity === undefined ? undefined : this.#findMoved(project, identity)
  }

  #findMoved({ services }: Project, identity: FolderIdentity): string | undefined {
    const table = this.#input.table()
    const pids = [...services.values()].flatMap(({ state }) => state.now.pid ?? [])
    return findAbove(
      pids.flatMap(pid => table?.folder?.(pid) ?? []),
      identity,
    )
  }

  close(): void {
    this.#isClosed = true
    for (const timer of this.#pending.values()) clearTimeout(timer)
  }

  async #confirm(project: Project): Promise<void> {
    const { projects, events, log, stop } = this.#input
    const { name, path, worktree } = project.ref
    const identity = this.#known.get(path)
    if (identity === undefined || !(await isDeleted(path, identity, worktree?.gitDir))) return
    if (this.#findMoved(project, identity) !== undefined) return
    let isStopped = false
    const choose = () => {
      // It may have been started in another folder meanwhile, or have come back.
      isStopped = !this.#isClosed && projects.list().includes(project) && project.wanted.size > 0 && isMissing(path)
      return isStopped ? namesOf(project) : []
    }
    await stop(project, choose, deletedReason)
    if (!isStopped) return
    this.#known.delete(path)
    const message = `${name}: ${deletedReason}; its services were stopped`
    log.warn(message)
    events.emit({ event: 'warning', path, message, hint: 'Run `locald registry clean` to forget the project.' })
  }
}
