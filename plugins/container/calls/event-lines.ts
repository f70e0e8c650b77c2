import { isRecord, parseJson } from '../../lib/json.ts'

/** What happened to a container. `died`: `code` is its exit code, null where the engine does not say. */
export type ContainerEvent =
  | { readonly kind: 'died'; readonly code: number | null }
  | { readonly kind: 'removed' }
  | { readonly kind: 'out-of-memory' }
  /** The engine's VM stopped, and the container with it. */
  | { readonly kind: 'lost' }

/** An event and the id of its container. */
export interface NamedEvent {
  readonly id: string
  readonly event: ContainerEvent
}

const kinds: ReadonlyMap<string, ContainerEvent['kind']> = new Map([
  ['died', 'died'],
  ['die', 'died'],
  ['remove', 'removed'],
  ['destroy', 'removed'],
  ['oom', 'out-of-memory'],
])

/** Parses a line of `events --format json`, of podman or docker; undefined for what does not matter here. */
export function parseEvent(line: string): NamedEvent | undefined {
  const parsed = parseJson(line)
  if (!isRecord(parsed)) return undefined
  const actor = isRecord(parsed['Actor']) ? parsed['Actor'] : {}
  const attributes = isRecord(actor['Attributes']) ? actor['Attributes'] : {}
  const kind = kinds.get(String(parsed['Action'] ?? parsed['Status'] ?? parsed['status'] ?? ''))
  const id = actor['ID'] ?? parsed['ID'] ?? parsed['id']
  if (kind === undefined || typeof id !== 'string') return undefined
  if (kind !== 'died') return { id, event: { kind } }
  // podman leaves out a zero.
  const written = isRecord(parsed['Actor']) ? attributes['exitCode'] : (parsed['ContainerExitCode'] ?? 0)
  const code = Number(written)
  return { id, event: { kind, code: Number.isInteger(code) ? code : null } }
}
