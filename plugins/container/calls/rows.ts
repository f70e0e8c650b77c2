import { isRecord } from '../../lib/json.ts'
import type { Engine } from '../provides.ts'

/** A row of a list that an engine printed. */
export type Row = Readonly<Record<string, unknown>>

/** Returns the `--format` with which a list or an event is JSON. */
export function listFormat({ dialect }: Pick<Engine, 'dialect'>): string {
  return dialect === 'podman' ? 'json' : '{{json .}}'
}

/** Parses a list: podman prints an array, docker and nerdctl a line for each row. */
export function parseRows(output: string): readonly Row[] {
  const text = output.trim()
  if (text === '') return []
  const parsed: unknown = text.startsWith('[') ? JSON.parse(text) : text.split('\n').map(line => JSON.parse(line))
  return (Array.isArray(parsed) ? parsed : []).filter(isRecord)
}

/** Reads labels, which docker prints as `a=b,c=d`: a value of ours has no comma that precedes a name of ours. */
export function labelsOf(value: unknown): Readonly<Record<string, string>> {
  if (isRecord(value)) return Object.fromEntries(Object.entries(value).map(([name, text]) => [name, String(text)]))
  if (typeof value !== 'string') return {}
  const pairs = value.split(/,(?=[A-Za-z0-9._-]+=)/).map(pair => pair.split(/=(.*)/s))
  return Object.fromEntries(pairs.flatMap(([name, text]) => (name ? [[name, text ?? '']] : [])))
}
