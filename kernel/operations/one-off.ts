import type { Project } from '../projects/project.ts'
import type { Projects } from '../projects/projects.ts'
import type { OneOffAnswer, OneOffBody } from '../protocol.ts'
import { oneOffShell } from '../services/environment/shell.ts'
import type { Service } from '../services/service.ts'

/**
 * Returns how to run a command in a service's place: its folder, and the environment of a start now, plus other
 * variables of the caller's shell. Variables of a shell that services do not get, the command does not get either.
 */
export async function prepareOneOff(projects: Projects, body: OneOffBody): Promise<OneOffAnswer> {
  const { project, service } = await projects.target(body.path, body.service)
  const { name } = service.ref
  // With nothing of it running, the next `up` would take the caller's shell.
  const shell = oneOffShell(project.wanted.size === 0 ? {} : project.shell, body.env)
  const { env, dir } = await project.prepare(name, shell)
  return { dir, env, notRunning: notRunning(project, service) }
}

/**
 * Names the services that the command may need and that do not run: the service itself, where its type exports values,
 * and its dependencies.
 */
function notRunning(project: Project, { ref }: Service): readonly string[] {
  const needed = Object.entries(project.planOf(ref.name)?.common.dependsOn ?? {})
  const names = needed.filter(([, condition]) => condition !== 'completed').map(([name]) => name)
  const own = project.isReached(ref.name) ? [ref.name] : []
  return [...own, ...names].flatMap(name => {
    const other = project.service(name)
    return other === undefined || other.supervisor.instance !== undefined ? [] : [other.ref.key]
  })
}
