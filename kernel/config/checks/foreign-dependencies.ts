import type { ProjectPlan, ServicePlan } from '../../contract/plugin.ts'
import type { Path } from '../document/table.ts'
import { parseCommand } from '../references/command-template.ts'
import { isForeignKey, ownName } from '../references/foreign-key.ts'
import { parseTemplate, referencesOf } from '../references/interpolation.ts'
import type { ReadService } from '../tables/service.ts'

/** Separates the services of other projects from a service's dependencies. */
export function splitDependencies(service: ReadService, project: string): ReadService {
  const all = Object.entries(service.plan.common.dependsOn).map(
    ([name, condition]) => [ownName(name, project), condition] as const,
  )
  const foreign = all.filter(([name]) => isForeignKey(name))
  const common = {
    ...service.plan.common,
    dependsOn: Object.fromEntries(all.filter(([name]) => !isForeignKey(name))),
    ...(foreign.length === 0 ? {} : { foreign: Object.fromEntries(foreign) }),
  }
  return { ...service, plan: { ...service.plan, common } }
}

/** Where a service names one of another project. */
export interface ForeignMention {
  /** `PROJECT:SERVICE`. */
  readonly key: string
  /** Of the configuration. */
  readonly path: Path
  /** Whether the service depends on it; otherwise it only refers to it. */
  readonly isDependency: boolean
  /** Whether a reference does without it. */
  readonly hasDefault: boolean
}

/** Returns where the dependencies and the environment of a service name services of other projects. */
export function foreignMentions(plan: ProjectPlan, { name, common }: ServicePlan): readonly ForeignMention[] {
  const at = ['services', name]
  const dependencies = Object.keys(common.foreign ?? {}).map(key => ({
    ...{ key, path: [...at, 'depends_on', key] },
    ...{ isDependency: true, hasDefault: false },
  }))
  const tables = [
    [['env'], plan.env],
    [[...at, 'env'], common.env],
  ] as const
  const references = tables.flatMap(([path, env]) =>
    Object.entries(env).flatMap(([variable, text]) =>
      foreignReferences(text, plan.name).map(found => ({ ...found, path: [...path, variable], isDependency: false })),
    ),
  )
  return [...dependencies, ...references]
}

/** Returns the services of other projects, as `PROJECT:SERVICE`, that the commands of a service refer to. */
export function foreignInCommands(project: string, { common }: ServicePlan): readonly string[] {
  return Object.values(common.commands ?? {}).flatMap(({ run, args }) => {
    const parsed = run.includes('${projects.') ? parseCommand(run, Object.keys(args)) : { names: [] }
    const names = 'fault' in parsed ? [] : parsed.names
    const keys = names.map(name => (name.of === 'service' ? ownName(name.service, project) : ''))
    return keys.filter(isForeignKey)
  })
}

function foreignReferences(text: string, project: string): readonly Pick<ForeignMention, 'key' | 'hasDefault'>[] {
  const parts = text.includes('${projects.') ? parseTemplate(text) : []
  if ('malformed' in parts) return []
  return referencesOf(parts).flatMap(({ name, fallback }) => {
    const key = name.of === 'service' ? ownName(name.service, project) : ''
    return isForeignKey(key) ? [{ key, hasDefault: fallback !== undefined }] : []
  })
}
