import type { Variable, VariableTarget } from '../../contract/plugin.ts'
import type { OwnVariables } from '../start-plan.ts'

/** Returns the variables that locald and its plugins set for a service with a port, a host name, or neither. */
export function ownVariables(target: VariableTarget, contributed: readonly Variable[]): OwnVariables {
  const { port } = target
  return {
    own: { ...rankedVariables('override', target, contributed), ...portVariable(port) },
    defaults: port === undefined ? {} : { HOST: '127.0.0.1' },
    fallbacks: rankedVariables('fallback', target, contributed),
  }
}

/**
 * As `ownVariables`, for a guest: PORT is the one inside, and HOST and the fallbacks of plugins, which are about this
 * machine, are not set.
 */
export function guestVariables(
  target: VariableTarget,
  contributed: readonly Variable[],
  guestPort: number | undefined,
): OwnVariables {
  const own = { ...rankedVariables('override', target, contributed), ...portVariable(guestPort) }
  return { own, defaults: {}, fallbacks: {} }
}

function portVariable(port: number | undefined): Readonly<Record<string, string>> {
  return port === undefined ? {} : { PORT: String(port) }
}

function rankedVariables(
  rank: Variable['rank'],
  target: VariableTarget,
  contributed: readonly Variable[],
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    contributed.flatMap(variable => {
      const value = variable.rank === rank ? variable.value(target) : undefined
      return value === undefined ? [] : [[variable.name, value] as const]
    }),
  )
}
