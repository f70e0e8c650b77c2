import { rmdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { CommandResult } from '../../kernel/contract/plugin.ts'
import { LocaldError } from '../../kernel/errors.ts'
import { dropBranch, listBranches, makeBranch } from './cluster/branches.ts'
import type { Shared } from './cluster/context.ts'
import { readRecord } from './cluster/record.ts'
import { type Entry, isThere } from './cluster/service-register.ts'
import { isSameFile, resetName, undoName } from './cluster/snapshots.ts'
import { Upgrade } from './cluster/upgrade.ts'
import { removeFolder } from './files/copy-tree.ts'
import { placesOf } from './files/paths.ts'
import type { Target } from './server/client.ts'
import { endLeftover, runningTarget } from './server/tracking.ts'

const nameShape = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/

/** What `locald db` does, with its answers. */
export class Databases {
  readonly #shared: Shared

  constructor(shared: Shared) {
    this.#shared = shared
  }

  async list(entry: Entry): Promise<CommandResult> {
    const running = await this.#running(entry)
    const snapshots = await this.#shared.snapshots.list(entry)
    const branches = running === undefined ? [] : await listBranches(running)
    const { branchOf } = await readRecord(this.#places(entry).cluster)
    const rows = [
      ...snapshots.map(({ name, bytes, takenAt, version }) => [
        name,
        'snapshot',
        size(bytes),
        takenAt,
        `PostgreSQL ${version}`,
      ]),
      ...branches.map(({ name, bytes, madeAt, from }) => [name, 'branch', size(bytes), madeAt, `of database ${from}`]),
    ]
    const head = branchOf === null ? '' : `The data of ${entry.key} is a branch of that of ${branchOf}.\n`
    const text = rows.length === 0 ? `${entry.key} has no snapshots and no branches.` : table(rows)
    const tail = running === undefined ? '\nIt does not run: branches, if it has any, are shown when it does.' : ''
    return { exitCode: 0, text: head + text + tail, data: { service: entry.key, branchOf, snapshots, branches } }
  }

  async snapshot(entry: Entry, name: string | undefined, signal: AbortSignal): Promise<CommandResult> {
    const chosen = name ?? new Date().toISOString().slice(0, 19).replaceAll(':', '-')
    requireName(chosen)
    const kept = [undoName, resetName].find(name => isSameFile(name, chosen))
    if (kept !== undefined)
      throw wrong(`'${kept}' is what a ${kept === undoName ? 'restore' : 'reset'} keeps`, 'Take another name.')
    const began = performance.now()
    await this.#shared.snapshots.take(entry, chosen, signal)
    const ms = Math.round(performance.now() - began)
    return done(`Snapshot '${chosen}' of ${entry.key}, in ${seconds(ms)}.`, {
      service: entry.key,
      snapshot: chosen,
      ms,
    })
  }

  async restore(entry: Entry, name: string, signal: AbortSignal): Promise<CommandResult> {
    const { snapshots } = this.#shared
    requireName(name)
    if (!(await snapshots.has(entry, name))) throw await this.#noSuch(entry, name)
    const began = performance.now()
    await this.#shared.control().paused(entry.key, () => snapshots.restore(entry, name, signal))
    await this.#shared.settled(entry.key, signal)
    const ms = Math.round(performance.now() - began)
    const text = `The data of ${entry.key} is that of snapshot '${name}'. What it replaced is kept as '${undoName}'.`
    return done(text, { service: entry.key, snapshot: name, kept: undoName, ms })
  }

  async branch(entry: Entry, name: string, from: string | undefined): Promise<CommandResult> {
    requireName(name)
    const target = await this.#needRunning(entry)
    const source = from ?? entry.database
    const began = performance.now()
    await makeBranch(target, source, name)
    const ms = Math.round(performance.now() - began)
    const url = `postgresql://${target.user}:…@127.0.0.1:${target.port}/${name}`
    const text = `Database '${name}' is a branch of '${source}', made in ${seconds(ms)}: ${url}`
    return done(text, { service: entry.key, branch: name, from: source, ms })
  }

  async drop(entry: Entry, name: string): Promise<CommandResult> {
    if (nameShape.test(name) && (await this.#shared.snapshots.has(entry, name))) {
      await this.#shared.snapshots.drop(entry, name)
      return done(`Snapshot '${name}' is gone.`, { service: entry.key, snapshot: name })
    }
    const running = await this.#running(entry)
    const branches = running === undefined ? [] : await listBranches(running)
    if (running === undefined || !branches.some(branch => branch.name === name)) throw await this.#noSuch(entry, name)
    await dropBranch(running, name)
    return done(`Branch '${name}' is gone.`, { service: entry.key, branch: name })
  }

  /** Removes the data of git worktrees that are gone, and of nothing else whose folder is. */
  async prune(): Promise<CommandResult> {
    const gone: string[] = []
    for (const entry of await this.#shared.register.all()) {
      if (isThere(entry)) continue
      const { branchOf } = await readRecord(this.#places(entry).cluster)
      if (typeof entry.worktree !== 'string' && branchOf === null) continue
      await this.#shared.control().stop(entry.key)
      await this.#shared.locks.run(entry.data, async () => {
        await endLeftover(this.#places(entry), this.#shared.table())
        await removeFolder(entry.data)
      })
      // The project's folder, if nothing else is in it.
      await rmdir(dirname(entry.data)).catch(() => {})
      this.#shared.register.forget(entry)
      gone.push(entry.key)
    }
    const text = gone.length === 0 ? 'Nothing to remove.' : `Removed the data of ${gone.join(', ')}.`
    return done(text, { removed: gone })
  }

  async upgrade(entry: Entry, signal: AbortSignal): Promise<CommandResult> {
    const upgrade = new Upgrade(this.#shared)
    const { from, to, kept } = await this.#shared.control().paused(entry.key, () => upgrade.run(entry, signal))
    const text = `The data of ${entry.key} is of PostgreSQL ${to} now. That of ${from} is kept as snapshot '${kept}'.`
    return done(text, { service: entry.key, from, to, kept })
  }

  #places(entry: Entry) {
    return placesOf(entry.data, this.#shared.folders.sockets)
  }

  #running(entry: Entry): Promise<Target | undefined> {
    return runningTarget(this.#places(entry), this.#shared.table())
  }

  async #needRunning(entry: Entry): Promise<Target> {
    const running = await this.#running(entry)
    if (running !== undefined) return running
    throw new LocaldError('SERVICE_NOT_RUNNING', `${entry.key} does not run`, {
      service: entry.key,
      hint: `\`locald up ${entry.name}\` starts it.`,
    })
  }

  async #noSuch(entry: Entry, name: string): Promise<LocaldError> {
    const names = (await this.#shared.snapshots.list(entry)).map(snapshot => snapshot.name)
    const hint = names.length === 0 ? 'It has no snapshots.' : `Its snapshots: ${names.join(', ')}.`
    const isUnsure = (await this.#running(entry)) === undefined
    return wrong(
      `${entry.key} has no snapshot or branch '${name}'`,
      isUnsure ? `${hint} Its branches are known while it runs.` : hint,
    )
  }
}

function requireName(name: string): void {
  if (!nameShape.test(name)) throw wrong(`'${name}' is no name for it`, 'Use at most 63 letters, digits, - and _.')
}

function wrong(message: string, hint: string): LocaldError {
  return new LocaldError('USAGE', message, { hint })
}

function done(text: string, data: Readonly<Record<string, unknown>>): CommandResult {
  return { exitCode: 0, text, data }
}

function seconds(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`
}

function size(bytes: number): string {
  const mega = bytes / 1024 / 1024
  return mega < 1024 ? `${mega.toFixed(0)} MB` : `${(mega / 1024).toFixed(1)} GB`
}

/** Lines with columns as wide as their widest. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0))) ?? []
  const line = (row: readonly string[]) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')
  return rows.map(row => line(row).trimEnd()).join('\n')
}
