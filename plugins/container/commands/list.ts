import type { CommandContext, CommandResult } from '../../../kernel/contract/plugin.ts'
import { listContainers } from '../calls/containers.ts'
import type { Engines } from '../engines/engines.ts'
import { label } from '../names.ts'
import type { Engine } from '../provides.ts'
import type { CommandParts } from './parts.ts'

/** `locald container ls`: the containers of all projects of this daemon. */
export async function listOwn({ engines, names }: CommandParts, { signal }: CommandContext): Promise<CommandResult> {
  const { running, absent } = await usedEngines(engines)
  const lists = await Promise.all(
    running.map(async engine => ({ engine, containers: await listContainers(engine, names.owner, signal) })),
  )
  const rows = lists
    .flatMap(({ engine, containers }) =>
      containers.map(({ name, image, state, labels }) => [
        labels[label.project] ?? null,
        labels[label.service] ?? labels[label.kind] ?? null,
        ...[state, image, engine.name, name],
      ]),
    )
    .sort((one, other) => rowKey(one).localeCompare(rowKey(other)))
  const columns = ['project', 'service', 'state', 'image', 'engine', 'container']
  const note = absent.map(name => `${name} does not run: its containers are not listed.`).join('\n')
  if (rows.length > 0) return { exitCode: 0, text: note, table: { columns, rows } }
  return { exitCode: 0, text: note === '' ? 'No containers.' : note, data: [] }
}

/** Returns the engines that projects use: those that run, opened, and the names of the others. */
export async function usedEngines(
  engines: Engines,
): Promise<{ readonly running: readonly Engine[]; readonly absent: readonly string[] }> {
  const names = [...new Set(engines.projects().flatMap(path => engines.enginesOf(path)))]
  const opened = await Promise.all(names.map(name => engines.running(name).catch(() => undefined)))
  return {
    running: opened.flatMap(engine => engine ?? []),
    absent: names.filter((_, index) => opened[index] === undefined),
  }
}

function rowKey([project, service]: readonly (string | number | null)[]): string {
  return `${project} ${service}`
}
