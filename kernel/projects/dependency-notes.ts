import type { Events } from '../events.ts'
import { deletedReason } from '../registry/folder-identity.ts'
import type { ForeignServices } from './foreign-services.ts'
import type { Project } from './project.ts'

/**
 * Notes on each running service which of its dependencies have failed or were stopped. Returns a function that stops
 * this.
 */
export function noteDependencies(
  events: Events,
  projects: { list(): Iterable<Project>; readonly foreign: ForeignServices<Project> },
): () => void {
  return events.on(event => {
    if (event.event !== 'service') return
    const { path, name } = event.service
    for (const project of projects.list()) {
      if (project.ref.path !== path) continue
      const needing = project.plan.services.filter(plan => Object.hasOwn(plan.common.dependsOn, name))
      for (const one of [name, ...needing.map(plan => plan.name)])
        project.service(one)?.state.note('dependencies', noteOf(project, one))
      const service = project.service(name)
      for (const other of service === undefined ? [] : projects.foreign.dependentsOf(service))
        other.service.state.note('dependencies', noteOf(other.project, other.service.ref.name))
    }
  })
}

function noteOf(project: Project, name: string): string | undefined {
  if (project.service(name)?.state.now.status !== 'running') return undefined
  const [first] = project.needsOf(name).flatMap(({ name: need, service }) => {
    const { status, reason } = service.state.now
    return status === 'failed' || status === 'stopped' ? [{ need, status, reason }] : []
  })
  if (first === undefined) return undefined
  const why = first.reason === deletedReason ? `: ${deletedReason}` : ''
  return `dependency ${first.need} ${first.status === 'failed' ? 'has failed' : `is stopped${why}`}`
}
