import type { Instance, Processes, Run, ServicePlan, ServiceType } from '../contract/plugin.ts'
import { LocaldError } from '../errors.ts'

/** A keeper that has not ended its service so long after the grace is asked again, with the plan's signal: ms. */
const lateMs = 1000

/** An instance of an earlier daemon. */
export interface Reattached {
  readonly instance: Instance
  /** Why it is only held by its keeper: what its type knows of it is missing. */
  readonly problem?: LocaldError
}

/**
 * An instance by its type's driver, else, where no plugin provides the type any more or the driver cannot, by its keeper alone, which ends
 * it. Undefined where neither has it; throws what the driver threw.
 */
export async function reattached(
  driver: ServiceType<unknown> | LocaldError,
  run: Run<unknown>,
  state: unknown,
  processes: Processes | undefined,
): Promise<Reattached | undefined> {
  let problem = LocaldError.is(driver) ? driver : undefined
  try {
    const instance = LocaldError.is(driver) ? undefined : await driver.adopt?.(run, state)
    if (instance !== undefined) return { instance }
  } catch (error) {
    problem = LocaldError.from(error)
  }
  const held = await processes?.adopt(state, run.log)
  if (held === undefined && problem !== undefined) throw problem
  if (held === undefined) return undefined
  problem ??= new LocaldError('SERVICE_FAILED', 'could not be reattached by its service type after the daemon restart')
  return { instance: endedByKeeper(held), problem }
}

/** The driver of a type that no plugin provides: it can start nothing. */
export function missingDriver({ type }: ServicePlan, problem: LocaldError): ServiceType<unknown> {
  return { type, shape: { schema: {} }, start: () => Promise.reject(problem) }
}

/** Its keeper knows how its type ends it: PostgreSQL, for one, by SIGINT. */
function endedByKeeper(held: Instance): Instance {
  const { pid, startedMs, exited, state, tree } = held
  return {
    ...{ pid, startedMs, exited, state },
    ...(tree === undefined ? {} : { tree }),
    on: listener => held.on?.(listener) ?? (() => {}),
    finish: () => held.finish?.(),
    async stop(how) {
      held.finish?.()
      const late = setTimeout(() => void held.stop(how), how.graceMs + lateMs)
      await exited
      clearTimeout(late)
    },
  }
}
