import type { Health, Status } from '../events.ts'
import type { Project } from '../projects/project.ts'
import type { WhyAnswer } from '../protocol.ts'
import type { Service } from '../services/service.ts'

/** One causal account of a service's state: its own reason, then, through what it waits for, the nearest cause. */
export function why(project: Project, service: Service): WhyAnswer {
  const chain: Service[] = []
  for (let at: Service | undefined = service; at !== undefined && !chain.includes(at); at = blockerOf(project, at))
    chain.push(at)
  const sentences = chain.map(sentence)
  const [own = '', ...causes] = sentences
  // "web is waiting for db: connection refused on 127.0.0.1:5432, 3 tries"
  const last = chain.at(-1)
  const isWaiting = service.state.now.status === 'waiting' && last !== undefined && last !== service
  const cause = isWaiting ? (reasonOf(last) ?? sentence(last)) : causes.join('; ')
  // A service that failed by another one has the cause in its reason already.
  const isSaid = cause === '' || own.includes(cause)
  const text = isSaid ? own : `${own}${isWaiting ? ':' : ';'} ${cause}`
  return { key: service.ref.key, text, because: [...sentences, ...circumstances(service)] }
}

/** What else is worth knowing of a service that is not as it should be, or that something was noted of. */
function circumstances({ ref, state, restartedFor }: Service): readonly string[] {
  const { status, health, reason, restarts } = state.now
  const since = state.sinceMs === undefined ? undefined : new Date(state.sinceMs).toLocaleTimeString('en-GB')
  const isUnwell = status === 'failed' || status === 'restarting' || health === 'unhealthy' || status === 'starting'
  return [
    ...(isUnwell && since !== undefined ? [`${ref.name}: ${status} since ${since}`] : []),
    ...(isUnwell && restarts > 0 ? [`${ref.name}: restarted ${times(restarts)}`] : []),
    ...(restartedFor === undefined || reason?.includes(restartedFor)
      ? []
      : [`${ref.name}: last restarted because ${restartedFor}`]),
    // Without a reason they are part of the sentence.
    ...(reason === null ? [] : state.notes.map(note => `${ref.name}: ${note}`)),
  ]
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`
}

/** The first dependency that is not met, or was not when the service failed. */
function blockerOf(project: Project, service: Service): Service | undefined {
  const { status, launched } = service.state.now
  if (status !== 'waiting' && !(status === 'failed' && !launched)) return undefined
  const needs = project.planOf(service.ref.name)?.common.dependsOn ?? {}
  for (const [name, condition] of Object.entries(needs)) {
    const other = project.service(name)
    if (other !== undefined && !isMet(other, condition)) return other
  }
  return undefined
}

function isMet(service: Service, condition: 'started' | 'ready' | 'completed'): boolean {
  try {
    return service.state.meets(condition)
  } catch {
    return false
  }
}

function sentence(service: Service): string {
  const { ref, state } = service
  const { status, health, port, pid, restarts } = state.now
  const reason = reasonOf(service)
  const again = restarts === 0 ? '' : `, restarted ${times(restarts)}`
  const notes = state.notes.map(note => `; ${note}`).join('')
  if (status === 'waiting' && reason !== null) return `${ref.name} is ${reason}`
  if (reason !== null && status === 'exited') return `${ref.name} ${reason}`
  if (reason !== null) return `${ref.name} ${saying(status, health)}: ${reason}`
  if (status === 'running') {
    const place = [port === null ? '' : `port ${port}`, pid === null ? '' : `pid ${pid}`].filter(part => part !== '')
    return `${ref.name} ${saying(status, health)}${place.length === 0 ? '' : ` (${place.join(', ')})`}${again}${notes}`
  }
  return `${ref.name} is ${status}${status === 'stopped' ? ' (not started, or stopped by request)' : again}${notes}`
}

/** Why a service is in its state, with how often readiness was tried. */
function reasonOf({ state }: Service): string | null {
  const { status, reason, tries } = state.now
  if (reason === null || status !== 'starting' || tries === 0) return reason
  return `${reason}, ${tries} ${tries === 1 ? 'try' : 'tries'}`
}

function saying(status: Status, health: Health): string {
  if (status === 'failed') return 'failed'
  return status === 'running' && health !== null ? `is running, ${health}` : `is ${status}`
}
