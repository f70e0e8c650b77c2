import { type Case, clockTime, type Fact, likely, shellWord } from '../fact.ts'

/** Longer reasons are cut: `locald why` of the dependency has all of it. */
const longestReason = 100

/** Finds dependencies that do not run, or were started since the service was last well. */
export function dependencyFacts(it: Case): readonly Fact[] {
  const { plan, project, before, evidence } = it
  const byPort = it.services.find(
    other => other.ref.project.path === it.root && other.state.now.port === evidence.refused?.port,
  )
  const needed = new Map(project.needsOf(plan.name).map(({ name, service }) => [name, service]))
  if (byPort !== undefined) needed.set(byPort.ref.name, byPort)
  needed.delete(plan.name)
  return [...needed].flatMap(([name, other]): readonly Fact[] => {
    const { status, health, startedMs, port, reason } = other.state.now
    const isRefused = evidence.refused !== undefined && evidence.refused.port === port
    const isUp = status === 'exited' || (status === 'running' && health !== 'unhealthy')
    if (!isUp) {
      const state = status === 'failed' ? 'has failed' : `is ${status === 'running' ? health : status}`
      return [
        {
          score: isRefused ? likely.proven : likely.named + 3,
          kind: 'dependency',
          text: `${name} ${state}${reason === null ? '' : `: ${shorten(reason)}`}`,
          command: status === 'stopped' ? `locald up ${shellWord(other.ref.key)}` : `locald why ${shellWord(name)}`,
          atMs: other.state.sinceMs ?? null,
        },
      ]
    }
    const known = before?.dependencies[name] ?? 0
    if (known === 0 || startedMs === null || startedMs === known) return []
    return [
      {
        score: isRefused ? likely.named : likely.distant + 8,
        kind: 'dependency',
        text: `${name} was restarted at ${clockTime(startedMs)}`,
        command: `locald logs ${shellWord(name)}`,
        atMs: startedMs,
      },
    ]
  })
}

function shorten(reason: string): string {
  return reason.length > longestReason ? `${reason.slice(0, longestReason - 1)}…` : reason
}
