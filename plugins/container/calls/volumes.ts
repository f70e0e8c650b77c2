import { label } from '../names.ts'
import type { Engine } from '../provides.ts'
import { labelsOf, listFormat, parseRows } from './rows.ts'
import { runEngine } from './run-engine.ts'

/** One of our volumes. */
export interface ListedVolume {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
}

/** Lists the volumes of an owner. */
export async function listVolumes(engine: Engine, owner: string): Promise<readonly ListedVolume[]> {
  const args = ['volume', 'ls', '--filter', `label=${label.owner}=${owner}`, '--format', listFormat(engine)]
  const rows = parseRows(await runEngine(engine, args))
  const listed = rows.map(row => ({ name: String(row['Name'] ?? ''), labels: labelsOf(row['Labels']) }))
  // podman 4 takes several filters for alternatives, and an old engine may know none.
  return listed.filter(({ name, labels }) => name !== '' && labels[label.owner] === owner)
}
