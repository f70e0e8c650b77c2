import { rmdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { CommandResult } from '../../kernel/contract/plugin.ts'
import { LocaldError } from '../../kernel/errors.ts'
import { formatMeasured } from '../lib/duration.ts'
import { createBranch, dropBranch, listBranches } from './cluster/branches.ts'
import type { PostgresContext } from './cluster/context.ts'
import { readRecord } from './cluster/record.ts'
import { hasFolder, type ServiceEntry } from './cluster/service-register.ts'
import { isSameFile, resetName, undoName } from './cluster/snapshots.ts'
import { Upgrade } from './cluster/upgrade.ts'
import { removeFolder } from './files/copy-tree.ts'
import { servicePaths } from './files/paths.ts'
import type { Target } from './server/client.ts'
import { findRunningTarget, stopLeftoverServers } from './server/tracking.ts'

const nameShape = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/

/** Runs the subcommands of `locald db`. */
export class Databases {
  readonly #context: PostgresContext

  constructor(context: PostgresContext) {
    this.#context = context
  }

  async list(entry: ServiceEntry): Promise<CommandResult> {
    const running = await this.#running(entry)
    const snapshots = await this.#context.snapshots.list(entry)
    const branches = running === undefined ? [] : await listBranches(running)
    const { branchOf } = await readRecord(this.#paths(entry).cluster)
    const rows = [
      ...snapshots.map(it => [it.name, 'snapshot', size(it.bytes), it.takenAt, `PostgreSQL ${it.version}`]),
      ...branches.map(it => [it.name, 'branch', size(it.bytes), it.madeAt, `database ${it.from}`]),
    ]
    const notes = [
      ...(branchOf === null ? [] : [`The data of ${entry.key} is a branch of that of ${branchOf}.`]),
      ...(rows.length === 0 ? [`${entry.key} has no snapshots and no branches.`] : []),
      ...(running === undefined ? [`${entry.key} is stopped: its branches are listed while it runs.`] : []),
    ]
    return {
      exitCode: 0,
      text: notes.join('\n'),
      ...(rows.length === 0 ? {} : { table: { columns: ['name', 'kind', 'size', 'created', 'source'], rows } }),
      data: { service: entry.key, branchOf, snapshots, branches },
    }
  }

  async snapshot(entry: ServiceEntry, name: string | undefined, signal: AbortSignal): Promise<CommandResult> {
    const chosen = name ?? new Date().toISOString().slice(0, 19).replaceAll(':', '-')
    requireName(chosen)
    const kept = [undoName, resetName].find(name => isSameFile(name, chosen))
    if (kept !== undefined)
      throw usageError(
        `the name '${kept}' is reserved for a ${kept === undoName ? 'restore' : 'reset'}`,
        'Choose another name.',
      )
    const startedAt = performance.now()
    await this.#context.snapshots.take(entry, chosen, signal)
    const ms = Math.round(performance.now() - startedAt)
    return done(`Created snapshot '${chosen}' of ${entry.key} in ${formatMeasured(ms)}.`, {
      service: entry.key,
      snapshot: chosen,
      ms,
    })
  }

  async restore(entry: ServiceEntry, name: string, signal: AbortSignal): Promise<CommandResult> {
    const { snapshots } = this.#context
    requireName(name)
    if (!(await snapshots.has(entry, name))) throw await this.#unknownName(entry, name)
    const startedAt = performance.now()
    await this.#context.control().paused(entry.key, () => snapshots.restore(entry, name, signal))
    await this.#context.waitUntilSettled(entry.key, signal)
    const ms = Math.round(performance.now() - startedAt)
    const text = `Restored snapshot '${name}' of ${entry.key}; the previous data is saved as '${undoName}'.`
    return done(text, { service: entry.key, snapshot: name, kept: undoName, ms })
  }

  async branch(entry: ServiceEntry, name: string, from: string | undefined): Promise<CommandResult> {
    requireName(name)
    const target = await this.#needRunning(entry)
    const source = from ?? entry.database
    const startedAt = performance.now()
    await createBranch(target, source, name)
    const ms = Math.round(performance.now() - startedAt)
    const url = `postgresql://${target.user}:…@127.0.0.1:${target.port}/${name}`
    const text = `Created database '${name}' as a branch of '${source}' in ${formatMeasured(ms)}: ${url}`
    return done(text, { service: entry.key, branch: name, from: source, ms })
  }

  async drop(entry: ServiceEntry, name: string): Promise<CommandResult> {
    if (nameShape.test(name) && (await this.#context.snapshots.has(entry, name))) {
      await this.#context.snapshots.drop(entry, name)
      return done(`Removed snapshot '${name}'.`, { service: entry.key, snapshot: name })
    }
    const running = await this.#running(entry)
    const branches = running === undefined ? [] : await listBranches(running)
    if (running === undefined || !branches.some(branch => branch.name === name))
      throw await this.#unknownName(entry, name)
    await dropBranch(running, name)
    return done(`Removed branch '${name}'.`, { service: entry.key, branch: name })
  }

  /** Removes the data of deleted git worktrees, and no other data whose project folder is missing. */
  async prune(): Promise<CommandResult> {
    const removed: string[] = []
    for (const entry of await this.#context.register.all()) {
      if (hasFolder(entry)) continue
      const { branchOf } = await readRecord(this.#paths(entry).cluster)
      if (typeof entry.worktree !== 'string' && branchOf === null) continue
      await this.#context.control().stop(entry.key)
      await this.#context.locks.run(entry.data, async () => {
        await stopLeftoverServers(this.#paths(entry), this.#context.table())
        await removeFolder(entry.data)
      })
      // The project's folder, if it is empty.
      await rmdir(dirname(entry.data)).catch(() => {})
      this.#context.register.forget(entry)
      removed.push(entry.key)
    }
    const text = removed.length === 0 ? 'Nothing to remove.' : `Removed the data of ${removed.join(', ')}.`
    return done(text, { removed: removed })
  }

  async upgrade(entry: ServiceEntry, signal: AbortSignal): Promise<CommandResult> {
    const upgrade = new Upgrade(this.#context)
    const { from, to, kept } = await this.#context.control().paused(entry.key, () => upgrade.run(entry, signal))
    const text = `Upgraded the data of ${entry.key} from PostgreSQL ${from} to ${to}; the old data is saved as snapshot '${kept}'.`
    return done(text, { service: entry.key, from, to, kept })
  }

  #paths(entry: ServiceEntry) {
    return servicePaths(entry.data, this.#context.folders.sockets)
  }

  #running(entry: ServiceEntry): Promise<Target | undefined> {
    return findRunningTarget(this.#paths(entry), this.#context.table())
  }

  async #needRunning(entry: ServiceEntry): Promise<Target> {
    const running = await this.#running(entry)
    if (running !== undefined) return running
    throw new LocaldError('SERVICE_NOT_RUNNING', `${entry.key} is not running`, {
      service: entry.key,
      hint: `Run \`locald up ${entry.name}\`.`,
    })
  }

  async #unknownName(entry: ServiceEntry, name: string): Promise<LocaldError> {
    const names = (await this.#context.snapshots.list(entry)).map(snapshot => snapshot.name)
    const hints = [
      ...(names.length === 0 ? [] : [`Choose one of its snapshots: ${names.join(', ')}.`]),
      ...((await this.#running(entry)) === undefined ? [`Run \`locald up ${entry.name}\` to use its branches.`] : []),
    ]
    const hint = hints.length === 0 ? 'Run `locald db snapshot` or `locald db branch` to create one.' : hints.join(' ')
    return usageError(`${entry.key} has no snapshot or branch '${name}'`, hint)
  }
}

function requireName(name: string): void {
  if (!nameShape.test(name)) throw usageError(`invalid name '${name}'`, 'Use at most 63 letters, digits, - and _.')
}

function usageError(message: string, hint: string): LocaldError {
  return new LocaldError('USAGE', message, { hint })
}

function done(text: string, data: Readonly<Record<string, unknown>>): CommandResult {
  return { exitCode: 0, text, data }
}

function size(bytes: number): string {
  const mega = bytes / 1024 / 1024
  return mega < 1024 ? `${mega.toFixed(0)} MB` : `${(mega / 1024).toFixed(1)} GB`
}
