import { shortName } from '../../config/document/document.ts'
import type { Events } from '../../events.ts'
import type { Project } from '../../projects/project.ts'
import type { Projects } from '../../projects/projects.ts'
import type { EnvAnswer, EnvPlace, EnvQuery, EnvVariable } from '../../protocol.ts'
import { maskedValues } from '../../services/environment/masking.ts'
import { isOfShell } from '../../services/environment/shell-changes.ts'
import type { VariableSource } from '../../services/environment/sources.ts'

/** What the environment of a service is read from. */
export interface EnvironmentParts {
  readonly projects: Pick<Projects, 'target' | 'load'>
  readonly events: Events
}

/**
 * Returns the environment that a service gets at its next start, each variable with what set it, and whether its
 * process has it already. Secrets are masked; an event says which ones a caller had revealed.
 */
export async function describeEnvironment({ projects, events }: EnvironmentParts, query: EnvQuery): Promise<EnvAnswer> {
  const { project, service } = await projects.target(query.path, query.service)
  const { key, name } = service.ref
  const plan = await project.prepare(name)
  const sources = await locateSources(await plan.sources(), projects, project, name)
  const now = service.supervisor.instance === undefined ? undefined : service.env
  const names = Object.keys(plan.env).toSorted()
  const isOfEnvFile = (variable: string) => {
    const layer = sources.get(variable)?.[0]?.layer
    return layer === '.env' || layer === 'env_file'
  }
  const masked = maskedValues(
    names.map(variable => ({ name: variable, value: plan.env[variable] ?? '', isOfEnvFile: isOfEnvFile(variable) })),
  )
  const isRevealed = (variable: string) =>
    query.reveal === true && masked.has(variable) && (query.name === undefined || query.name === variable)
  const revealed = names.filter(isRevealed)
  if (revealed.length > 0)
    events.emit({ event: 'notice', path: project.ref.path, message: revealedText(revealed, key) })
  // What differs from shell to shell is no reason for a restart.
  const isNoise = (variable: string) => sources.get(variable)?.[0]?.layer === 'shell' && isOfShell(variable)
  const variables = names.map((variable): EnvVariable => {
    const value = plan.env[variable] ?? ''
    const [from, ...overrides] = (sources.get(variable) ?? [nowhere]).map(source => placeOf(source, project.ref.path))
    return {
      name: variable,
      value: isRevealed(variable) ? value : (masked.get(variable) ?? value),
      secret: masked.has(variable),
      from: from ?? placeOf(nowhere, project.ref.path),
      overrides,
      current: now === undefined || now[variable] === value || isNoise(variable),
    }
  })
  const removed = Object.keys(now ?? {}).filter(variable => !Object.hasOwn(plan.env, variable) && !isOfShell(variable))
  return { key, running: now !== undefined, variables, removed: removed.toSorted() }
}

/**
 * Adds file and line to what the configuration sets: a project that an earlier daemon started was not read from its
 * files.
 */
async function locateSources(
  sources: ReadonlyMap<string, readonly VariableSource[]>,
  projects: EnvironmentParts['projects'],
  { ref, shell }: Project,
  service: string,
): Promise<ReadonlyMap<string, readonly VariableSource[]>> {
  const isLost = ({ layer, file }: VariableSource) => (layer === 'project' || layer === 'service') && file === null
  if (![...sources.values()].flat().some(isLost)) return sources
  const loaded = await projects.load(ref.path, { shell }).catch(() => undefined)
  if (loaded === undefined) return sources
  const located = [...sources].map(async ([name, chain]) => {
    const found = chain.map(async (source): Promise<VariableSource> => {
      if (!isLost(source)) return source
      const table = source.layer === 'project' ? ['env'] : ['services', service, 'env']
      return { ...source, ...(await loaded.locate([...table, name])) }
    })
    return [name, await Promise.all(found)] as const
  })
  return new Map(await Promise.all(located))
}

const nowhere: VariableSource = { layer: 'locald', plugin: null, file: null, line: null }

function placeOf({ layer, plugin, file, line }: VariableSource, root: string): EnvPlace {
  const where = file === null ? undefined : `${shortName(file, root)}${line === null ? '' : `:${line}`}`
  return { layer, plugin, file, line, text: where ?? (plugin === null ? layer : `plugin ${plugin}`) }
}

function revealedText(names: readonly string[], key: string): string {
  return names.length === 1 ? `${names[0]} of ${key} was revealed` : `${names.length} secrets of ${key} were revealed`
}
