import type { Project } from '../../projects/project.ts'
import type { Projects } from '../../projects/projects.ts'
import { servicesOf, type Target } from '../../projects/selectors.ts'
import type { Service } from '../../services/service.ts'

/** Says of stopped services which of other projects still need them, and which they leave running. */
export function foreignNotices(targets: readonly Target[], foreign: Projects['foreign']): readonly string[] {
  const stopped = new Set(targets.flatMap(servicesOf))
  const isLeft = (service: Service) => service.supervisor.active && !stopped.has(service)
  const needed = [...stopped].flatMap(service => {
    const dependents = foreign.dependentsOf(service).filter(other => isLeft(other.service))
    return neededNotice(
      service.ref.key,
      dependents.map(({ key }) => key),
    )
  })
  const isUsed = (project: Project, service: Service) =>
    foreign.dependentsOf(service).some(other => isLeft(other.service)) ||
    servicesOf({ project, names: project.dependentsOf([service.ref.name]) }).some(isLeft)
  const unused = targets
    .flatMap(({ project, names }) => foreign.needsOf(project, names))
    .filter(({ project, service }) => isLeft(service) && !isUsed(project, service))
  return [...needed, ...leftNotice([...new Set(unused.map(({ service }) => service.ref.key))])]
}

function neededNotice(key: string, dependents: readonly string[]): readonly string[] {
  if (dependents.length === 0) return []
  return [`${dependents.join(', ')} still ${dependents.length === 1 ? 'needs' : 'need'} ${key}`]
}

function leftNotice(keys: readonly string[]): readonly string[] {
  if (keys.length === 0) return []
  const [verb, them] = keys.length === 1 ? ['keeps', 'it'] : ['keep', 'them']
  return [`${keys.join(', ')} ${verb} running; run \`locald stop ${keys.join(' ')}\` to stop ${them}`]
}
