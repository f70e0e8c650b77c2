import type { Condition } from '../../contract/plugin.ts'
import { LocaldError } from '../../errors.ts'
import type { Need, Project } from '../../projects/project.ts'
import type { Projects } from '../../projects/projects.ts'
import type { ConfigValue, DependencyView, DetailsAnswer, OneServiceQuery } from '../../protocol.ts'
import type { Service } from '../../services/service.ts'
import type { UsageView } from '../../services/usage.ts'

/** What the details of a service are read from. */
export interface DetailParts {
  readonly projects: Pick<Projects, 'target' | 'load' | 'foreign'>
  readonly usage: Pick<UsageView, 'of'>
}

/** Returns what one service is, and how it is connected. Files that cannot be read are a problem in the answer. */
export async function describeService(parts: DetailParts, query: OneServiceQuery): Promise<DetailsAnswer> {
  const { projects, usage } = parts
  const { project, service } = await projects.target(query.path, query.service)
  const plan = project.planOf(service.ref.name)
  if (plan === undefined) throw new LocaldError('UNKNOWN_SERVICE', `unknown service '${query.service}'`)
  const { dir, ports, driver } = project.outline(service, plan)
  const config = await readConfig(projects, project, service).catch((error: unknown) => LocaldError.from(error))
  const adapted = await driver.adaptCommand?.({
    ...{ options: plan.options, dir, env: service.env ?? {} },
    hasWrittenPort: plan.common.port !== undefined,
  })
  const [view = service.state.view()] = await usage.of([service])
  return {
    service: view,
    ...{ dir, ports, hosts: service.hosts },
    command: adapted?.command ?? (LocaldError.is(config) ? null : commandIn(config)),
    commandReason: adapted?.reason ?? null,
    dependencies: project.needsOf(plan.name).map(dependencyOf),
    dependents: [
      ...project.dependentsOf([service.ref.name]).map(name => `${project.ref.name}:${name}`),
      ...projects.foreign.dependentsOf(service).map(({ key }) => key),
    ],
    logFile: service.log.file,
    ...(LocaldError.is(config) ? { config: [], problem: config.toJSON() } : { config }),
  }
}

/** Returns the values of a service in its files, by keys below its own. Its environment has an answer of its own. */
async function readConfig(
  projects: DetailParts['projects'],
  project: Project,
  { ref }: Service,
): Promise<readonly ConfigValue[]> {
  const loaded = await projects.load(project.ref.path, { shell: project.shell })
  const prefix = `services.${ref.name}.`
  return (await loaded.values())
    .filter(({ key }) => key.startsWith(prefix))
    .map(value => ({ ...value, key: value.key.slice(prefix.length) }))
    .filter(({ key }) => key !== 'env' && !key.startsWith('env.'))
}

function commandIn(config: readonly ConfigValue[]): string | null {
  const value = config.find(({ key }) => key === 'command')?.value
  if (Array.isArray(value)) return value.join(' ')
  return typeof value === 'string' ? value : null
}

function dependencyOf({ name, service: { ref, state }, condition }: Need): DependencyView {
  const { status, health } = state.now
  const { key } = ref
  return { key, name, condition, status, health, met: isMet(state, condition) }
}

function isMet(state: Service['state'], condition: Condition): boolean {
  try {
    return state.meets(condition)
  } catch {
    return false
  }
}
