import type { Project } from '../projects/project.ts'
import type { Projects } from '../projects/projects.ts'
import type { OneOffAnswer, OneOffBody } from '../protocol.ts'
import { oneOffShell } from '../services/environment/shell.ts'
import type { Service } from '../services/service.ts'

/**
 * How a command is run in a service's place: in its folder, with its environment as it would be started with now, and what the caller's
 * shell has besides. What the service is not given of a shell, the command is not given either.
 */
export async function oneOff(projects: Projects, body: OneOffBody): Promise<OneOffAnswer> {
  const { project, service } = await projects.target(body.path, body.service)
  const { name } = service.ref
  // With nothing of it running, the next `up` would take the caller's shell.
  const shell = oneOffShell(project.wanted.size === 0 ? {} : project.shell, body.env)
  const { env, dir } = await project.prepare(name, shell)
  return { dir, env, notRunning: notRunning(project, service) }
}

/** Services that the command may want to reach and that do not run: itself, where others read of it where it is, and what it needs. */
function notRunning(project: Project, { ref }: Service): readonly string[] {
  const needed = Object.entries(project.planOf(ref.name)?.common.dependsOn ?? {})
  const names = needed.filter(([, condition]) => condition !== 'completed').map(([name]) => name)
  const own = project.isReached(ref.name) ? [ref.name] : []
  return [...own, ...names].flatMap(name => {
    const other = project.service(name)
    return other === undefined || other.supervisor.instance !== undefined ? [] : [other.ref.key]
  })
}
