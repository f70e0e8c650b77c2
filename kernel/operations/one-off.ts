import type { Argv, OneOff } from '../contract/plugin.ts'
import { LocaldError } from '../errors.ts'
import type { Project } from '../projects/project.ts'
import type { Projects } from '../projects/projects.ts'
import type { OneOffAnswer, OneOffBody } from '../protocol.ts'
import { oneOffShell } from '../services/environment/shell.ts'
import type { Service } from '../services/service.ts'
import type { StartPlan } from '../services/start-plan.ts'

/**
 * Returns how to run a command in a service's place: its folder, and the environment of a start now, plus other
 * variables of the caller's shell. Variables of a shell that services do not get, the command does not get either. A
 * type may have its own way: the command then runs inside the service. Throws SERVICE_NOT_RUNNING where that does not
 * run.
 */
export async function prepareOneOff(projects: Pick<Projects, 'target'>, body: OneOffBody): Promise<OneOffAnswer> {
  const { project, service } = await projects.target(body.path, body.service)
  const { name } = service.ref
  // With nothing of it running, the next `up` would take the caller's shell.
  const shell = oneOffShell(project.wanted.size === 0 ? {} : project.shell, body.env)
  const plan = await project.prepare(name, shell)
  const { dir } = plan
  const [program, ...args] = body.argv ?? []
  const own = program === undefined ? undefined : await ofType(service, plan, [program, ...args], body.tty ?? false)
  const how = own === undefined ? { env: plan.env } : { argv: own.argv, env: own.env }
  return { dir, ...how, notRunning: notRunning(project, service) }
}

/** Returns how the service's type runs the command; undefined: as it is. */
async function ofType(service: Service, plan: StartPlan, argv: Argv, tty: boolean): Promise<OneOff | undefined> {
  const { driver } = plan
  const { key, name, type } = service.ref
  if (driver.reach === 'guest' && driver.oneOff === undefined)
    throw new LocaldError('USAGE', `services of type '${type}' cannot run commands`, { service: key })
  if (driver.reach === 'guest' && service.supervisor.instance === undefined)
    throw new LocaldError('SERVICE_NOT_RUNNING', `${name} is not running: commands run inside it`, {
      ...{ service: key, hint: `Run \`locald up ${name}\` first.` },
    })
  return await driver.oneOff?.(service.run(plan, new AbortController().signal), argv, { tty })
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
