import { stat } from 'node:fs/promises'
import type { Argv, OneOff } from '../../contract/plugin.ts'
import { LocaldError } from '../../errors.ts'
import type { Project } from '../../projects/project.ts'
import type { Projects } from '../../projects/projects.ts'
import type { OneOffAnswer, OneOffBody, RunAnswer, RunBody, TargetBody } from '../../protocol.ts'
import { oneOffShell, shellPart } from '../../services/environment/shell.ts'
import type { Service } from '../../services/service.ts'
import type { StartPlan } from '../../services/start-plan.ts'
import type { CommandRuns } from '../../terminals/command-runs.ts'
import { checkCall } from './command-call.ts'
import { findRelatedService } from './related-service.ts'

/** The terminals of pages, as a shell there would have them. */
const pageTerminal = { TERM: 'xterm-256color', COLORTERM: 'truecolor' }

/**
 * Returns how to run a command in a service's place: its folder, and the environment of a start now, plus other
 * variables of the caller's shell. Variables of a shell that services do not get, the command does not get either. A
 * type may have its own way: the command then runs inside the service. Throws SERVICE_NOT_RUNNING where that does not
 * run, SPAWN_FAILED where a command's folder is missing, UNKNOWN_COMMAND and USAGE for a declared one that is not right.
 */
export async function prepareOneOff(
  projects: Pick<Projects, 'target' | 'targets'>,
  body: OneOffBody,
): Promise<OneOffAnswer> {
  if (body.service === undefined) return await prepareBeside(projects, body)
  const { project, service } = await projects.target(body.path, body.service)
  const { name } = service.ref
  const call = body.command === undefined ? undefined : checkCall(project, service, body.command)
  // With nothing of it running, the next `up` would take the caller's shell.
  const shell = oneOffShell(project.wanted.size === 0 ? {} : project.shell, body.env)
  const plan = await project.prepare(name, shell)
  const { dir } = plan
  const declared = call?.argv()
  const [program, ...args] = declared ?? body.argv ?? []
  if (program !== undefined) await requireFolder(dir, service)
  const own = program === undefined ? undefined : await ofType(service, plan, [program, ...args], body.tty ?? false)
  const as = declared === undefined ? {} : { argv: declared }
  const how = own === undefined ? { ...as, env: plan.env } : { argv: own.argv, env: own.env }
  return { dir, ...how, notRunning: notRunning(project, service) }
}

/**
 * Returns how to run a command that needs services but has no place among them: in the caller's folder, with the
 * environment by which the project reaches them, without the port and the URL of the service that has it.
 */
async function prepareBeside(projects: Pick<Projects, 'targets'>, body: OneOffBody): Promise<OneOffAnswer> {
  const [target] = await projects.targets({ path: body.path, services: body.with ?? [] })
  if (target === undefined) throw new LocaldError('USAGE', 'neither a service nor what the command needs is named')
  const { project, names } = target
  const shell = oneOffShell(project.wanted.size === 0 ? {} : project.shell, body.env)
  const related = findRelatedService(project, names)
  const stopped = names.filter(name => project.service(name)?.supervisor.instance === undefined)
  const place = { dir: body.path, notRunning: stopped.map(name => `${project.ref.name}:${name}`) }
  if (related === undefined) return { ...place, env: shellPart(shell) }
  const plan = await project.prepare(related.ref.name, shell)
  const [program, ...args] = body.argv ?? []
  const isNeeded = names.includes(related.ref.name) && program !== undefined
  const own = isNeeded ? await ofType(related, plan, [program, ...args], body.tty ?? false) : undefined
  if (own !== undefined) return { ...place, argv: own.argv, env: own.env }
  const env = Object.entries(plan.env).filter(([variable]) => !Object.hasOwn(plan.variables.own, variable))
  return { ...place, env: Object.fromEntries(env) }
}

/** What the use of services is noted with, as of `Operations`. */
export interface UseNotes {
  noteUser(target: TargetBody, pid?: number): Promise<void>
}

/**
 * Returns how to run a command, as `prepareOneOff` does. What it needs and sleeps is started before, and in use as long
 * as the process runs that the body names. Nothing is where the arguments of a declared command are wrong.
 */
export async function prepareUsed(
  projects: Pick<Projects, 'target' | 'targets'>,
  use: UseNotes,
  body: OneOffBody,
): Promise<OneOffAnswer> {
  const { path, service: name, command, pid, wake = false } = body
  if (command !== undefined && name !== undefined) {
    const { project, service } = await projects.target(path, name)
    checkCall(project, service, command)
  }
  const services = name === undefined ? (body.with ?? []) : [name]
  if (pid !== undefined || wake) await use.noteUser({ path, services }, pid)
  return await prepareOneOff(projects, body)
}

/**
 * Starts a command in a service's place on a terminal of the daemon's; its shell is that of the project. What it needs is
 * in use as long as it runs.
 */
export async function startOneOff(
  projects: Pick<Projects, 'target' | 'targets'>,
  parts: { readonly runs: CommandRuns; readonly use: UseNotes },
  { path, service: name, argv, command }: RunBody,
): Promise<RunAnswer> {
  const { project, service } = await projects.target(path, name)
  const words = command === undefined ? argv : checkCall(project, service, command).words
  if (words === undefined) throw new LocaldError('REQUEST_INVALID', 'neither `argv` nor `command` is given')
  const what = command === undefined ? { argv: words } : { command }
  const body = { path, service: name, env: { ...project.shell, ...pageTerminal }, tty: true, wake: true, ...what }
  const place = await prepareUsed(projects, parts.use, body)
  const [program, ...args] = place.argv ?? words
  const run = await parts.runs.start({
    ...{ service: service.ref, argv: words, dir: place.dir, env: place.env },
    program: program === undefined ? undefined : [program, ...args],
  })
  const { pid } = parts.runs.get(run.id)
  if (pid !== null) await parts.use.noteUser({ path, services: [name] }, pid)
  return { run, notRunning: place.notRunning }
}

/** Throws SPAWN_FAILED when the folder is missing: the system would report a missing program. */
async function requireFolder(dir: string, { ref }: Service): Promise<void> {
  const found = await stat(dir).catch(() => undefined)
  if (found?.isDirectory()) return
  throw new LocaldError('SPAWN_FAILED', `the folder of '${ref.name}' is missing: ${dir}`, {
    ...{ service: ref.key, hint: "Check the service's workdir in locald.toml." },
  })
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
  const needed = project.needsOf(ref.name).filter(({ condition }) => condition !== 'completed')
  const own = project.isReached(ref.name) ? [project.service(ref.name) ?? []].flat() : []
  return [...own, ...needed.map(need => need.service)].flatMap(other =>
    other.supervisor.instance === undefined ? [other.ref.key] : [],
  )
}
