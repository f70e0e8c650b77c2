import type { TranslatedEntry } from '../../../../kernel/contract/plugin.ts'
import { entriesOf, entryOf, isTrue, type Mapping, type Node, textOf } from '../node.ts'
import type { ComposeProject } from '../project.ts'
import type { KeyReader } from '../reader.ts'

const conditions: ReadonlyMap<string, string> = new Map([
  ['service_started', 'started'],
  ['service_healthy', 'ready'],
  ['service_completed_successfully', 'completed'],
])

/** Translates `depends_on` and `restart`. */
export function translateDependencies(
  service: KeyReader,
  name: string,
  project: ComposeProject,
): readonly TranslatedEntry[] {
  const found = entriesOf(service.take('depends_on')).flatMap(([other, node]) => {
    const condition = translateCondition(service, other, node, project)
    return condition === undefined ? [] : [[project.names.labelOf(other), condition] as const]
  })
  const restart = service.text('restart')
  const isOnce = restart === 'no' || restart === 'false' || isWaitedFor(name, project.model)
  return [
    ...(found.length === 0 ? [] : [{ key: 'depends_on', value: Object.fromEntries(found) }]),
    ...(isOnce ? [{ key: 'restart', value: 'no' }] : []),
  ]
}

function translateCondition(
  service: KeyReader,
  other: string,
  node: Node,
  project: ComposeProject,
): string | undefined {
  const key = `depends_on.${other}`
  const isNeeded = entryOf(node, 'required') === undefined || isTrue(entryOf(node, 'required'))
  if (!project.names.has(other)) return isNeeded ? service.note('refused', key, 'is no service', node.at) : undefined
  if (!project.isActive(other)) return service.note('dropped', key, `'${other}' is written as a comment`, node.at)
  if (isTrue(entryOf(node, 'restart')))
    service.note('dropped', key, `a restart of '${other}' restarts no dependents without --dependents`, node.at)
  const written = textOf(entryOf(node, 'condition')) ?? 'service_started'
  return conditions.get(written) ?? service.note('refused', key, 'has an unknown condition', node.at)
}

/** Whether a service waits until this one has exited, so that it must not be started again. */
function isWaitedFor(name: string, model: Mapping): boolean {
  return entriesOf(entryOf(model, 'services')).some(
    ([, node]) => textOf(entryOf(node, 'depends_on', name, 'condition')) === 'service_completed_successfully',
  )
}

/** Returns the services of a circle of dependencies, in order; undefined where there is none. */
export function findCycle(model: Mapping, names: readonly string[]): readonly string[] | undefined {
  const done = new Set<string>()
  const visit = (name: string, way: readonly string[]): readonly string[] | undefined => {
    if (way.includes(name)) return [...way.slice(way.indexOf(name)), name]
    if (done.has(name) || !names.includes(name)) return undefined
    for (const [other] of entriesOf(entryOf(model, 'services', name, 'depends_on'))) {
      const cycle = visit(other, [...way, name])
      if (cycle !== undefined) return cycle
    }
    done.add(name)
    return undefined
  }
  for (const name of names) {
    const cycle = visit(name, [])
    if (cycle !== undefined) return cycle
  }
  return undefined
}
