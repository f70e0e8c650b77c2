import { label } from '../names.ts'
import type { Engine } from '../provides.ts'
import { runEngine } from './run-engine.ts'

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
  const format = engine.dialect === 'podman' ? 'json' : '{{json .}}'
  const args = ['ps', '-a', '--no-trunc', '--filter', `label=${label.owner}=${owner}`, '--format', format]
  return parseContainers(await runEngine(engine, args, { signal }))
}

/** Parses the output of `ps --format`: podman prints an array, docker and nerdctl a line for each container. */
export function parseContainers(output: string): readonly ListedContainer[] {
  const text = output.trim()
  if (text === '') return []
  const parsed: unknown = text.startsWith('[') ? JSON.parse(text) : text.split('\n').map(line => JSON.parse(line))
  return (Array.isArray(parsed) ? parsed : []).filter(isRecord).map(containerOf)
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

/** docker prints labels as `a=b,c=d`; a value of ours has no comma that precedes a name of ours. */
function labelsOf(value: unknown): Readonly<Record<string, string>> {
  if (isRecord(value)) return Object.fromEntries(Object.entries(value).map(([name, text]) => [name, String(text)]))
  if (typeof value !== 'string') return {}
  const pairs = value.split(/,(?=[A-Za-z0-9._-]+=)/).map(pair => pair.split(/=(.*)/s))
  return Object.fromEntries(pairs.flatMap(([name, text]) => (name ? [[name, text ?? '']] : [])))
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
