import { existsSync } from 'node:fs'
import type { CommandContext, CommandResult } from '../../../kernel/contract/plugin.ts'
import { type Item, listItems } from '../calls/inventory.ts'
import { reasonOf, tryEngine } from '../calls/run-engine.ts'
import type { Engines } from '../engines/engines.ts'
import { label } from '../names.ts'
import { usedEngines } from './list.ts'
import type { CommandParts } from './parts.ts'

/** The commands that remove what an engine keeps. */
const removals = {
  container: ['rm', '--force', '--volumes'],
  network: ['network', 'rm'],
  volume: ['volume', 'rm'],
  image: ['rmi'],
} as const satisfies Record<Item['kind'], readonly string[]>

/**
 * `locald container prune`: what projects left whose folder is deleted, forwarders of projects that do not run, and
 * leftovers of `doctor`. Only what has this daemon's label; without `--yes` it is only listed.
 */
export async function prune(
  parts: CommandParts,
  { isDone }: { readonly isDone: boolean },
  { signal }: CommandContext,
): Promise<CommandResult> {
  const { engines, names } = parts
  const { running, absent } = await usedEngines(engines)
  const all = (await Promise.all(running.map(engine => listItems(engine, names.owner, signal)))).flat()
  const stale = all.filter(item => isStale(parts, item))
  const notes = absent.map(name => `${name} does not run: what is left there is not known.`)
  if (stale.length === 0) {
    if (isDone) forgetMissing(engines, absent)
    return {
      exitCode: 0,
      text: [...notes, 'Nothing to remove.'].join('\n'),
      data: { removed: [], failed: [], found: [] },
    }
  }
  const rows = stale.map(row)
  const columns = ['kind', 'name', 'engine', 'project folder']
  if (!isDone) {
    const text = [...notes, 'Would remove the following. Run `locald container prune --yes` to do it.'].join('\n')
    return { exitCode: 0, text, table: { columns, rows }, data: { removed: [], failed: [], found: asData(stale) } }
  }
  const failures: { readonly item: Item; readonly reason: string }[] = []
  // One after the other: a network or volume can be removed once no container uses it.
  for (const item of stale) {
    const result = await tryEngine(item.engine, [...removals[item.kind], item.name], { signal })
    if (result.code !== 0) failures.push({ item, reason: reasonOf(result) })
  }
  const removed = stale.filter(item => failures.every(failure => failure.item !== item))
  if (failures.length === 0) forgetMissing(engines, absent)
  const failed = failures.map(({ item, reason }) => `${item.kind} ${item.name}: ${reason}`)
  const text = [...notes, `Removed ${removed.length} of ${stale.length}.`, ...failed].join('\n')
  const data = { removed: asData(removed), failed, found: asData(stale) }
  return { exitCode: failures.length === 0 ? 0 : 1, text, table: { columns, rows: removed.map(row) }, data }
}

function isStale({ host, names }: CommandParts, { kind, name, labels }: Item): boolean {
  const path = labels[label.path]
  const { catalog } = host.use
  // Images of a build have their project in the name only.
  if (kind === 'image') {
    const isOfProject = (project: string) => name.includes(`/locald-${project}-`)
    return catalog.projects().every(project => !existsSync(project.path) || !isOfProject(project.name))
  }
  if (path === undefined) return labels[label.owner] === names.owner
  // The label has the folder of the first start: the project may have been moved since.
  if (!existsSync(path)) return !catalog.isKnown(labels[label.project] ?? '')
  if (labels[label.kind] !== 'tunnel') return false
  return catalog.services().every(service => service.path !== path || service.status === 'stopped')
}

/** Forgets the engines of deleted projects; not while something of them may be left. */
function forgetMissing(engines: Engines, absent: readonly string[]): void {
  const missing = engines.projects().filter(path => !existsSync(path))
  for (const path of missing) {
    if (engines.enginesOf(path).every(name => !absent.includes(name))) engines.forget(path)
  }
}

function row({ kind, name, engine, labels }: Item): readonly (string | null)[] {
  return [kind, name, engine.name, labels[label.path] ?? null]
}

function asData(items: readonly Item[]): readonly object[] {
  return items.map(({ kind, name, engine, labels }) => ({
    ...{ kind, name, engine: engine.name, path: labels[label.path] ?? null },
  }))
}
