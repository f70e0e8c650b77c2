import type { Instance, Processes, Run, ServiceType } from '../contract/plugin.ts'
import { LocaldError } from '../errors.ts'

/** A keeper that has not stopped its service this long after the grace gets the plan's signal again: ms. */
const lateMs = 1000

/** An instance of an earlier daemon. */
export interface Reattached {
  readonly instance: Instance
  /** Why only its keeper holds it: its type's own knowledge of it is missing. */
  readonly problem?: LocaldError
}

/**
 * Reattaches an instance through its type's driver, or, when no plugin provides the type any more or the driver fails,
 * through its keeper alone, which can stop it. Returns undefined when neither has it; throws what the driver threw.
 */
export async function reattach(
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
  return { instance: heldInstance(held), problem }
}

/** Stops an instance through its keeper, which knows the stop signal of the type. */
function heldInstance(held: Instance): Instance {
  const { pid, startedMs, exited, state, tree } = held
  return {
    ...{ pid, startedMs, exited, state },
    ...(tree === undefined ? {} : { tree }),
    on: listener => held.on?.(listener) ?? (() => {}),
    finish: () => held.finish?.(),
    openTerminal: async size => held.openTerminal?.(size),
    async stop(how) {
      held.finish?.()
      const late = setTimeout(() => void held.stop(how), how.graceMs + lateMs)
      await exited
      clearTimeout(late)
    },
  }
}
