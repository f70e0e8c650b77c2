import type { ProgramResult } from '../../lib/programs.ts'
import { label } from '../names.ts'
import type { Engine } from '../provides.ts'
import { labelsOf, listFormat, parseRows } from './rows.ts'
import { runEngine, tryEngine } from './run-engine.ts'

/** One of our containers, as `ps -a` lists it. */
export interface ListedContainer {
  readonly id: string
  readonly name: string
  readonly image: string
  readonly isRunning: boolean
  /** As the engine words it: running, exited, created, paused … */
  readonly state: string
  readonly labels: Readonly<Record<string, string>>
}

/** Lists the containers of an owner, those that do not run included. */
export async function listContainers(
  engine: Engine,
  owner: string,
  signal?: AbortSignal,
): Promise<readonly ListedContainer[]> {
  const args = ['ps', '-a', '--no-trunc', '--filter', `label=${label.owner}=${owner}`, '--format', listFormat(engine)]
  return parseContainers(await runEngine(engine, args, { signal }))
}

/**
 * Removes a container, running or not, with its volumes that have no name: images declare them. Returns the outcome
 * whatever it is.
 */
export function removeContainer(engine: Engine, container: string): Promise<ProgramResult> {
  return tryEngine(engine, ['rm', '--force', '--volumes', container])
}

/** Parses the output of `ps --format`. */
export function parseContainers(output: string): readonly ListedContainer[] {
  return parseRows(output).map(containerOf)
}

function containerOf(row: Readonly<Record<string, unknown>>): ListedContainer {
  const names = row['Names']
  const state = String(row['State'] ?? row['Status'] ?? '').toLowerCase()
  return {
    id: String(row['Id'] ?? row['ID'] ?? ''),
    name: String(Array.isArray(names) ? names[0] : (names ?? '')).split(',')[0] ?? '',
    image: String(row['Image'] ?? ''),
    isRunning: /^(?:running|paused|up\b)/.test(state),
    state,
    labels: labelsOf(row['Labels']),
  }
}
