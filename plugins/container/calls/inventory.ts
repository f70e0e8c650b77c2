import { label } from '../names.ts'
import type { Engine } from '../provides.ts'
import { listContainers } from './containers.ts'
import { labelsOf, listFormat, parseRows } from './rows.ts'
import { runEngine } from './run-engine.ts'

/** What an engine keeps by name. */
export type ItemKind = 'container' | 'network' | 'volume' | 'image'

/** One thing of ours in an engine. */
export interface Item {
  readonly kind: ItemKind
  readonly name: string
  readonly engine: Engine
  readonly labels: Readonly<Record<string, string>>
}

/** Lists all that an owner has in an engine, in the order in which it can be removed. */
export async function listItems(engine: Engine, owner: string, signal?: AbortSignal): Promise<readonly Item[]> {
  const [containers, networks, volumes, images] = await Promise.all([
    listContainers(engine, owner, signal),
    listRows(engine, 'network', owner, signal),
    listVolumes(engine, owner, signal),
    listImages(engine, `${label.owner}=${owner}`, signal),
  ])
  return [
    ...containers.map(({ name, labels }) => ({ kind: 'container' as const, name, engine, labels })),
    ...networks.map(row => ({ kind: 'network' as const, ...row, engine })),
    ...volumes.map(row => ({ kind: 'volume' as const, ...row, engine })),
    ...images.map(name => ({ kind: 'image' as const, name, engine, labels: {} })),
  ]
}

/** Lists the volumes of an owner. */
export async function listVolumes(
  engine: Engine,
  owner: string,
  signal?: AbortSignal,
): Promise<readonly Pick<Item, 'name' | 'labels'>[]> {
  const rows = await listRows(engine, 'volume', owner, signal)
  // An old engine may not know the filter.
  return rows.filter(({ name, labels }) => name !== '' && labels[label.owner] === owner)
}

/** Lists networks or volumes; podman names the fields of a network in lower case. */
async function listRows(
  engine: Engine,
  kind: 'network' | 'volume',
  owner: string,
  signal?: AbortSignal,
): Promise<readonly Pick<Item, 'name' | 'labels'>[]> {
  const args = [kind, 'ls', '--filter', `label=${label.owner}=${owner}`, '--format', listFormat(engine)]
  const rows = parseRows(await runEngine(engine, args, { signal }))
  return rows.map(row => ({
    name: String(row['Name'] ?? row['name'] ?? ''),
    labels: labelsOf(row['Labels'] ?? row['labels']),
  }))
}

/** Lists images with a label by reference: an id has no project, and images of projects have names. */
export async function listImages(engine: Engine, filter: string, signal?: AbortSignal): Promise<readonly string[]> {
  const args = ['images', '--filter', `label=${filter}`, '--format', '{{.Repository}}:{{.Tag}}']
  const lines = (await runEngine(engine, args, { signal })).split('\n')
  return lines.filter(line => line !== '' && !line.includes('<none>'))
}
