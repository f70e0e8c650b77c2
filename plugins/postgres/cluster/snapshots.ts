import { existsSync } from 'node:fs'
import { readdir, rename, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Folders, ProcessTable } from '../../../kernel/contract/plugin.ts'
import { LocaldError } from '../../../kernel/errors.ts'
import { flushFolder, isUnfinished, placeFolder, removeFolder, sizeOf, sweepFolder } from '../files/copy-tree.ts'
import type { KeyedLock } from '../files/locks.ts'
import { makeFolder, type ServicePaths, servicePaths } from '../files/paths.ts'
import type { Account } from '../server/account.ts'
import type { Target } from '../server/client.ts'
import { canQuery } from '../server/setup-server.ts'
import { findRunningTarget, stopLeftoverServers } from '../server/tracking.ts'
import { copyCluster } from './copy.ts'
import { isCluster, versionOf } from './record.ts'
import type { ServiceEntry } from './service-register.ts'

/** A kept copy of a cluster. */
export interface Snapshot {
  readonly name: string
  readonly version: string
  /** UTC ISO 8601. */
  readonly takenAt: string
  /** Blocks it shares with others included. */
  readonly bytes: number
}

const pauseMs = 20

/** The snapshot that a restore keeps of what it replaces. */
export const undoName = 'before-restore'

/** The snapshot that a reset keeps of what it removes. */
export const resetName = 'before-reset'

/** Whether two names are one file where case does not count. A data folder may move to such a volume. */
export function isSameFile(name: string, other: string): boolean {
  return name.toLowerCase() === other.toLowerCase()
}

/** What snapshots need of the plugin. */
export interface SnapshotsInput {
  readonly folders: Pick<Folders, 'sockets'>
  /** By a service's data folder. */
  readonly locks: KeyedLock
  account(): Promise<Account>
  table(): ProcessTable
}

/** Snapshots of services' clusters, and how a cluster is replaced. */
export class Snapshots {
  readonly #input: SnapshotsInput

  constructor(input: SnapshotsInput) {
    this.#input = input
  }

  async list(entry: ServiceEntry): Promise<readonly Snapshot[]> {
    const { snapshots } = this.#paths(entry)
    const names = await this.#names(entry)
    return Promise.all(
      names.toSorted().map(async name => {
        const folder = join(snapshots, name)
        // Its last change was to get its name.
        const [version = '?', { ctime }, bytes] = await Promise.all([versionOf(folder), stat(folder), sizeOf(folder)])
        return { name, version, takenAt: ctime.toISOString(), bytes }
      }),
    )
  }

  /** By its very name: most Macs' volumes take `Foo` for `foo`, which may be a branch. */
  async has(entry: ServiceEntry, name: string): Promise<boolean> {
    return (await this.#names(entry)).includes(name)
  }

  /** Keeps a copy of the cluster as it is now; a running server goes on. */
  take(entry: ServiceEntry, name: string, signal: AbortSignal): Promise<void> {
    const paths = this.#paths(entry)
    return this.#input.locks.run(entry.data, async () => {
      const same = (await this.#names(entry)).find(other => isSameFile(other, name))
      if (same !== undefined)
        throw refused(`there is a snapshot '${same}' already`, 'Take another name, or drop that one.')
      await this.copy(paths, join(paths.snapshots, name), signal)
    })
  }

  /** Copies a service's cluster to a folder that must not exist, whole or not at all. The service's lock is held. */
  async copy(paths: ServicePaths, folder: string, signal: AbortSignal): Promise<void> {
    if (!(await isCluster(paths.cluster))) throw refused('there is no data yet', '`locald up` makes the cluster.')
    const { owner } = await this.#input.account()
    const running = await this.#ready(paths, signal)
    await placeFolder(folder, made => copyCluster(paths.cluster, made, running, { owner, signal }))
  }

  /**
   * Puts a snapshot's data in the place of the cluster, whose service does not run; what was there is kept as a snapshot. A crash
   * in between leaves the one or the other: the next start completes it.
   */
  restore(entry: ServiceEntry, name: string, signal: AbortSignal): Promise<void> {
    const paths = this.#paths(entry)
    return this.#input.locks.run(entry.data, async () => {
      const from = join(paths.snapshots, name)
      const { owner } = await this.#input.account()
      await stopLeftoverServers(paths, this.#input.table())
      await finishSwap(paths)
      await placeFolder(paths.next, made => copyCluster(from, made, undefined, { owner, signal }))
      await this.swap(paths, undoName)
    })
  }

  /** Takes the cluster away, whose service does not run; it is kept as a snapshot. The service's lock is held. */
  keepAsReset(paths: ServicePaths): Promise<void> {
    return this.swap(paths, resetName)
  }

  /** Has the folder `next`, if it is there, become the cluster; what was there is kept under a name, which it takes over. */
  async swap(paths: ServicePaths, keepAs: string): Promise<void> {
    if (existsSync(paths.cluster)) await rename(paths.cluster, `${paths.replaced}${keepAs}`)
    await finishSwap(paths)
  }

  drop(entry: ServiceEntry, name: string): Promise<void> {
    const paths = this.#paths(entry)
    return this.#input.locks.run(entry.data, () => removeFolder(join(paths.snapshots, name)))
  }

  /** What an interrupted operation left. */
  async sweep(paths: ServicePaths): Promise<void> {
    for (const folder of [paths.data, paths.snapshots]) await sweepFolder(folder)
    await finishSwap(paths)
  }

  /** How the cluster's server is reached, once its recovery is over; undefined where none runs. */
  async #ready(paths: ServicePaths, signal: AbortSignal): Promise<Target | undefined> {
    for (;;) {
      const running = await findRunningTarget(paths, this.#input.table())
      if (running === undefined || (await canQuery(running, paths.cluster))) return running
      signal.throwIfAborted()
      await setTimeout(pauseMs)
    }
  }

  async #names(entry: ServiceEntry): Promise<readonly string[]> {
    const names = await readdir(this.#paths(entry).snapshots).catch(() => [])
    return names.filter(name => !isUnfinished(name))
  }

  #paths(entry: ServiceEntry): ServicePaths {
    return servicePaths(entry.data, this.#input.folders.sockets)
  }
}

/**
 * Ends a swap, also after a crash: with the cluster put away the new one takes its place, with it still there nothing has happened yet.
 * An older snapshot goes last, when what takes its name is whole and the new cluster is in use.
 */
async function finishSwap(paths: ServicePaths): Promise<void> {
  const { data, cluster, next, replaced, snapshots } = paths
  if (existsSync(next)) {
    if (existsSync(cluster)) await removeFolder(next)
    else await rename(next, cluster)
  }
  const prefix = basename(replaced)
  for (const name of await readdir(data).catch(() => [])) {
    if (!name.startsWith(prefix)) continue
    makeFolder(snapshots)
    const kept = join(snapshots, name.slice(prefix.length))
    await flushFolder(data)
    await removeFolder(kept)
    await rename(join(data, name), kept)
  }
}

function refused(message: string, hint: string): LocaldError {
  return new LocaldError('USAGE', message, { hint })
}
