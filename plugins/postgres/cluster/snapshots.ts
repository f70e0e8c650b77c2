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

/** A copy of a cluster. */
export interface Snapshot {
  readonly name: string
  readonly version: string
  /** UTC ISO 8601. */
  readonly takenAt: string
  /** Includes blocks that it shares with others. */
  readonly bytes: number
}

const pauseMs = 20

/** The snapshot of the data that a restore replaces. */
export const undoName = 'before-restore'

/** The snapshot of the data that a reset removes. */
export const resetName = 'before-reset'

/** Returns whether two names are the same on a case-insensitive file system, to which a data folder may move. */
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

/** Takes snapshots of clusters, and replaces clusters. */
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
        // A snapshot's last change is its rename to this name.
        const [version = '?', { ctime }, bytes] = await Promise.all([versionOf(folder), stat(folder), sizeOf(folder)])
        return { name, version, takenAt: ctime.toISOString(), bytes }
      }),
    )
  }

  /** Compares exactly: on most Macs `Foo` finds the file `foo`, and `Foo` may be a branch. */
  async has(entry: ServiceEntry, name: string): Promise<boolean> {
    return (await this.#names(entry)).includes(name)
  }

  /** Copies the cluster in its present state; a running server continues. */
  take(entry: ServiceEntry, name: string, signal: AbortSignal): Promise<void> {
    const paths = this.#paths(entry)
    return this.#input.locks.run(entry.data, async () => {
      const same = (await this.#names(entry)).find(other => isSameFile(other, name))
      if (same !== undefined)
        throw refusal(`snapshot '${same}' already exists`, 'Choose another name, or remove it with `locald db drop`.')
      await this.copy(paths, join(paths.snapshots, name), signal)
    })
  }

  /** Copies a service's cluster, atomically, to a folder that must not exist. The caller holds the service's lock. */
  async copy(paths: ServicePaths, folder: string, signal: AbortSignal): Promise<void> {
    if (!(await isCluster(paths.cluster))) throw refusal('no data yet', 'Run `locald up` to create it.')
    const { owner } = await this.#input.account()
    const running = await this.#ready(paths, signal)
    await placeFolder(folder, made => copyCluster(paths.cluster, made, running, { owner, signal }))
  }

  /**
   * Replaces the cluster of a stopped service with a snapshot's data, and keeps the old data as a snapshot. After a
   * crash the next start completes it.
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

  /** Moves the cluster of a stopped service to a snapshot. The caller holds the service's lock. */
  keepAsReset(paths: ServicePaths): Promise<void> {
    return this.swap(paths, resetName)
  }

  /**
   * Renames the folder `next`, if it exists, to the cluster; keeps the old cluster as a snapshot, replacing one of that
   * name.
   */
  async swap(paths: ServicePaths, keepAs: string): Promise<void> {
    if (existsSync(paths.cluster)) await rename(paths.cluster, `${paths.replaced}${keepAs}`)
    await finishSwap(paths)
  }

  drop(entry: ServiceEntry, name: string): Promise<void> {
    const paths = this.#paths(entry)
    return this.#input.locks.run(entry.data, () => removeFolder(join(paths.snapshots, name)))
  }

  /** Cleans up after an interrupted operation. */
  async sweep(paths: ServicePaths): Promise<void> {
    for (const folder of [paths.data, paths.snapshots]) await sweepFolder(folder)
    await finishSwap(paths)
  }

  /** Returns how to connect to the cluster's server, after its recovery; undefined when it is stopped. */
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
 * Completes a swap, also after a crash: when the old cluster was moved, the new one is put in its place; when it was
 * not, the swap has not begun. Removes an older snapshot of that name last, when its replacement is complete and the
 * new cluster is in use.
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

function refusal(message: string, hint: string): LocaldError {
  return new LocaldError('USAGE', message, { hint })
}
