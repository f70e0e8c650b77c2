import type { ProjectPlan, ServiceType } from '../contract/plugin.ts'
import type { ConfigValue } from '../protocol.ts'
import { type Document, documentOf } from './document/document.ts'
import { lineOf } from './document/positions.ts'
import { at, dotted, isTable, type Path, type Table } from './document/table.ts'
import { hasDefault } from './fields/keys.ts'
import { keysOfHealthCheck } from './tables/health-check.ts'
import { commonKeys } from './tables/service-keys.ts'

/** Where a value was written: file (absolute) and 1-based line; nulls for a default. */
export interface Provenance {
  readonly file: string | null
  readonly line: number | null
}

/**
 * Returns where a path of the merged configuration was written. An index into a value that is not an array means the
 * value.
 */
export async function locate(documents: readonly Document[], path: Path): Promise<Provenance> {
  const document = documentOf(documents, path)
  if (document === undefined) return { file: null, line: null }
  if (at(document.data, path).found) return { file: document.file, line: await lineOf(document, path) }
  return typeof path.at(-1) === 'number' ? locate(documents, path.slice(0, -1)) : { file: null, line: null }
}

/**
 * Lists every value of the merged configuration and the defaults that apply, as they are written, references
 * unresolved.
 */
export async function configValues(
  merged: Table,
  plan: ProjectPlan,
  typeOf: (service: string) => ServiceType<unknown> | undefined,
  documents: readonly Document[],
): Promise<readonly ConfigValue[]> {
  const shown = new Map<string, { path: Path; value: unknown }>()
  const show = (path: Path, value: unknown) => shown.set(dotted(path), { path, value })
  show(['project', 'name'], plan.name)
  show(['project', 'domain'], plan.domain)
  leaves([], merged, show)
  for (const service of plan.services) {
    const path = ['services', service.name]
    const absent = (key: string, value: unknown) => {
      if (!at(merged, [...path, ...key.split('.')]).found) show([...path, ...key.split('.')], value)
    }
    absent('type', service.type)
    for (const key of commonKeys) if (hasDefault(key)) absent(key.key, key.default)
    const check = at(merged, [...path, 'health_check']).value
    const { healthCheck } = service.common
    if (isTable(check) && healthCheck !== undefined) {
      for (const key of keysOfHealthCheck(healthCheck.type))
        if (hasDefault(key)) absent(`health_check.${key.key}`, key.default)
    }
    if (typeOf(service.name) !== undefined && isTable(service.options)) {
      for (const [key, value] of Object.entries(service.options))
        if (!at(merged, [...path, key]).found) show([...path, key], value)
    }
  }
  const all = [...shown].sort(([a], [b]) => group(a, plan) - group(b, plan))
  return Promise.all(all.map(async ([key, { path, value }]) => ({ key, value, ...(await locate(documents, path)) })))
}

function leaves(path: Path, value: unknown, show: (path: Path, value: unknown) => void): void {
  if (!isTable(value)) show(path, value)
  else for (const [key, inner] of Object.entries(value)) leaves([...path, key], inner, show)
}

/** Returns a key's rank in the list: project, env, each service, then the rest. */
function group(key: string, plan: ProjectPlan): number {
  const [top, name] = key.split('.')
  if (top === 'project') return 0
  if (top === 'env') return 1
  return top === 'services' ? 2 + plan.services.findIndex(service => service.name === name) : 2 + plan.services.length
}
