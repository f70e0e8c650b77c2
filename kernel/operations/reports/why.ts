import type { Diagnoses, Diagnosis } from '../../diagnosis/diagnosis.ts'
import type { Health, Status } from '../../events.ts'
import type { Project } from '../../projects/project.ts'
import type { WhyAnswer, WhyStep } from '../../protocol.ts'
import { tailOf } from '../../services/outcome.ts'
import type { Service } from '../../services/service.ts'

/** Lines of output shown of each service that is not well. */
const shownLines = 10

/** The project of a service to explain. */
export type ExplainedProject = Pick<
  Project,
  'services' | 'service' | 'planOf' | 'needsOf' | 'ref' | 'plan' | 'shell' | 'environmentFiles'
>

/** Where a state is explained from. */
interface Scope {
  readonly project: ExplainedProject
  /** All projects: a dependency may be in another one. */
  readonly all: readonly ExplainedProject[]
}

/**
 * Explains a service's state: its own reason, then the dependencies that it waits for or failed by, down to the nearest
 * cause, and what may have caused that.
 * @param all the known projects, for dependencies in another one
 */
export async function explainState(
  project: ExplainedProject,
  service: Service,
  diagnoses: Pick<Diagnoses, 'of'>,
  all: readonly ExplainedProject[] = [project],
): Promise<WhyAnswer> {
  const scope = { project, all }
  const chain: Service[] = []
  for (let at: Service | undefined = service; at !== undefined && !chain.includes(at); [at] = blockersOf(scope, at))
    chain.push(at)
  const sentences = chain.map(each => sentence(scope, each))
  const [own = '', ...causes] = sentences
  // "web is waiting for db: connection refused on 127.0.0.1:5432, 3 tries"
  const last = chain.at(-1)
  const isWaiting = service.state.now.status === 'waiting' && last !== undefined && last !== service
  const cause = isWaiting ? (reasonOf(last) ?? sentence(scope, last)) : causes.join('; ')
  // The reason of a service that failed because of another one contains the cause.
  const isContained = cause === '' || own.includes(cause)
  const text = isContained ? own : `${own}${isWaiting ? ':' : ';'} ${cause}`
  const facts = factsOf(service).map(fact => `${service.ref.name}: ${fact}`)
  return {
    key: service.ref.key,
    text,
    because: [...sentences, ...facts],
    tree: await stepOf(scope, service, []),
    ...(await diagnose(scope, service, diagnoses)),
  }
}

/** Finds what may have caused the state of a service, or of the services that it waits for or failed because of. */
async function diagnose(
  scope: Scope,
  service: Service,
  diagnoses: Pick<Diagnoses, 'of'>,
): Promise<Pick<WhyAnswer, 'changes' | 'wellAt' | 'folder'>> {
  const roots = rootsOf(scope, service, []).filter(needsDiagnosis)
  const [first] = roots
  if (first === undefined) return {}
  const examine = async (root: Service) => ({ root, diagnosis: await diagnoses.of(projectOf(scope, root), root) })
  const found = await Promise.all(roots.map(examine))
  const [only] = found.length === 1 ? found : []
  const { wellMs } = only?.diagnosis ?? {}
  const prefixOf = (root: Service) => (root === service ? '' : `${nameIn(scope, root)}: `)
  return {
    changes: found.flatMap(({ root, diagnosis }) => changesOf(diagnosis, prefixOf(root))),
    wellAt: wellMs === undefined ? null : new Date(wellMs).toISOString(),
    folder: projectOf(scope, only?.root ?? service).ref.path,
  }
}

function changesOf({ changes }: Diagnosis, prefix: string): NonNullable<WhyAnswer['changes']> {
  return changes.map(change => ({ ...change, text: `${prefix}${change.text}` }))
}

function projectOf({ project, all }: Scope, service: Service): ExplainedProject {
  return all.find(other => other.service(service.ref.name) === service) ?? project
}

/** Returns a service's name where the question was asked: with its project where that is another one. */
function nameIn({ project }: Scope, service: Service): string {
  const { name, key } = service.ref
  return project.service(name) === service ? name : key
}

/** Returns the services that a state goes back to: those that wait for no other. */
function rootsOf(scope: Scope, service: Service, above: readonly Service[]): readonly Service[] {
  const path = [...above, service]
  const blockers = blockersOf(scope, service).filter(other => !path.includes(other))
  if (blockers.length === 0) return [service]
  return [...new Set(blockers.flatMap(other => rootsOf(scope, other, path)))]
}

/** Whether a service is not well, or takes long enough to get ready that it has a reason. */
function needsDiagnosis(service: Service): boolean {
  const { status, reason } = service.state.now
  return needsAttention(service) && (status !== 'starting' || reason !== null)
}

/** Describes a service and, below it, its unmet dependencies. `above`: the services that lead to it. */
async function stepOf(scope: Scope, service: Service, above: readonly Service[]): Promise<WhyStep> {
  const { ref, state } = service
  const { status, health } = state.now
  const path = [...above, service]
  const blockers = blockersOf(scope, service).filter(other => !path.includes(other))
  const causes = await Promise.all(blockers.map(other => stepOf(scope, other, path)))
  return {
    ...{ key: ref.key, name: nameIn(scope, service), status, health },
    // The causes say it in their own words.
    reason: causes.length > 0 ? null : reasonOf(service),
    facts: factsOf(service),
    lines: causes.length === 0 && needsAttention(service) ? await tailOf(service, shownLines) : [],
    causes,
    dependents: dependentsOf(scope, service),
  }
}

/** Names the services that wait for one, or failed because of it. */
function dependentsOf(scope: Scope, service: Service): readonly string[] {
  return scope.all
    .flatMap(({ services }) => [...services.values()])
    .filter(other => blockersOf(scope, other).includes(service))
    .map(other => nameIn(scope, other))
}

function needsAttention({ state }: Service): boolean {
  const { status, health } = state.now
  return status === 'failed' || status === 'restarting' || health === 'unhealthy' || status === 'starting'
}

/** Returns what else is known of a service that is not well, or that has notes. */
function factsOf(service: Service): readonly string[] {
  const { state, restartedFor } = service
  const { status, reason, restarts, asleepMs } = state.now
  const since = state.sinceMs === undefined ? undefined : timeOf(state.sinceMs)
  const isShown = needsAttention(service)
  return [
    ...(isShown && since !== undefined ? [`${status} since ${since}`] : []),
    ...(asleepMs === null ? [] : [`stopped since ${timeOf(asleepMs)}`]),
    ...(isShown && restarts > 0 ? [`restarted ${times(restarts)}`] : []),
    ...(restartedFor === undefined || reason?.includes(restartedFor) ? [] : [`last restart: ${restartedFor}`]),
    // Without a reason they are part of the sentence.
    ...(reason === null ? [] : state.notes),
  ]
}

function timeOf(ms: number): string {
  return new Date(ms).toLocaleTimeString('en-GB')
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`
}

/** Returns the dependencies that are not met, or were not when the service failed. */
function blockersOf(scope: Scope, service: Service): readonly Service[] {
  const { status, launched } = service.state.now
  if (status !== 'waiting' && !(status === 'failed' && !launched)) return []
  return projectOf(scope, service)
    .needsOf(service.ref.name)
    .flatMap(need => (isMet(need.service, need.condition) ? [] : [need.service]))
}

function isMet(service: Service, condition: 'started' | 'ready' | 'completed'): boolean {
  try {
    return service.state.meets(condition)
  } catch {
    return false
  }
}

function sentence(scope: Scope, service: Service): string {
  const { state } = service
  const name = nameIn(scope, service)
  const { status, health, port, pid, restarts } = state.now
  const reason = reasonOf(service)
  const again = restarts === 0 ? '' : `, restarted ${times(restarts)}`
  const notes = state.notes.map(note => `; ${note}`).join('')
  if (status === 'waiting' && reason !== null) return `${name} is ${reason}`
  if (reason !== null && status === 'exited') return `${name} ${reason}`
  if (reason !== null) return `${name} ${statusText(status, health)}: ${reason}`
  if (status === 'running') {
    const place = [port === null ? '' : `port ${port}`, pid === null ? '' : `pid ${pid}`].filter(part => part !== '')
    return `${name} ${statusText(status, health)}${place.length === 0 ? '' : ` (${place.join(', ')})`}${again}${notes}`
  }
  return `${name} is ${status}${status === 'stopped' ? ' (not started, or stopped by request)' : again}${notes}`
}

/** Returns why a service is in its state, with the number of failed readiness probes. */
function reasonOf({ state }: Service): string | null {
  const { status, reason, tries } = state.now
  if (reason === null || status !== 'starting' || tries === 0) return reason
  return `${reason}, ${tries} ${tries === 1 ? 'try' : 'tries'}`
}

function statusText(status: Status, health: Health): string {
  if (status === 'failed') return 'failed'
  return status === 'running' && health !== null ? `is running, ${health}` : `is ${status}`
}
