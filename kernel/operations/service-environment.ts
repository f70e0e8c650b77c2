import { shortName } from '../config/document.ts'
import type { Events } from '../events.ts'
import type { Projects } from '../projects/projects.ts'
import type { EnvAnswer, EnvPlace, EnvQuery, EnvVariable } from '../protocol.ts'
import { maskedValues } from '../services/environment/masking.ts'
import type { VariableSource } from '../services/environment/sources.ts'

/** What the environment of a service is read from. */
export interface EnvironmentParts {
  readonly projects: Pick<Projects, 'target'>
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
  const sources = await plan.sources()
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
  const variables = names.map((variable): EnvVariable => {
    const value = plan.env[variable] ?? ''
    const [from, ...overrides] = (sources.get(variable) ?? [nowhere]).map(source => placeOf(source, project.ref.path))
    return {
      name: variable,
      value: isRevealed(variable) ? value : (masked.get(variable) ?? value),
      secret: masked.has(variable),
      from: from ?? placeOf(nowhere, project.ref.path),
      overrides,
      current: now === undefined || now[variable] === value,
    }
  })
  const removed = Object.keys(now ?? {}).filter(variable => !Object.hasOwn(plan.env, variable))
  return { key, running: now !== undefined, variables, removed: removed.toSorted() }
}

const nowhere: VariableSource = { layer: 'locald', plugin: null, file: null, line: null }

function placeOf({ layer, plugin, file, line }: VariableSource, root: string): EnvPlace {
  const where = file === null ? undefined : `${shortName(file, root)}${line === null ? '' : `:${line}`}`
  return { layer, plugin, file, line, text: where ?? (plugin === null ? layer : `plugin ${plugin}`) }
}

function revealedText(names: readonly string[], key: string): string {
  return names.length === 1 ? `${names[0]} of ${key} was revealed` : `${names.length} secrets of ${key} were revealed`
}
