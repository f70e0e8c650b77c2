import type { Project } from './project.ts'
import type { Service } from './service.ts'
import type { WhyAnswer } from './wire.ts'

/** One causal account of a service's state: its own reason, then, through what it waits for, the nearest cause. */
export function why(project: Project, service: Service): WhyAnswer {
  const because: string[] = []
  const seen = new Set<Service>()
  for (let at: Service | undefined = service; at !== undefined && !seen.has(at); at = blockerOf(project, at)) {
    seen.add(at)
    because.push(sentence(at))
  }
  return { key: service.ref.key, text: because.join('; '), because }
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

function sentence({ ref, state }: Service): string {
  const { status, health, reason, port, pid, restarts } = state.now
  const again = restarts === 0 ? '' : `, restarted ${restarts === 1 ? 'once' : `${restarts} times`}`
  if (reason !== null)
    return status === 'waiting' ? `${ref.name} is ${reason}` : `${ref.name} is ${word(status, health)}: ${reason}`
  if (status === 'running') {
    const place = [port === null ? '' : `port ${port}`, pid === null ? '' : `pid ${pid}`].filter(part => part !== '')
    return `${ref.name} is ${word(status, health)}${place.length === 0 ? '' : ` (${place.join(', ')})`}${again}`
  }
  return `${ref.name} is ${status}${status === 'stopped' ? `: nobody has started it, or it was asked to stop` : again}`
}

function word(status: string, health: string | null): string {
  return status === 'running' && health !== null ? `running, ${health}` : status
}
