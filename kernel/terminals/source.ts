import type { Instance } from '../contract/plugin.ts'
import type { ServiceLog } from '../logs/service-log.ts'
import type { Service } from '../services/service.ts'

/** What a terminal shows: one process after the other. */
export interface TerminalSource {
  /** The key of the service. */
  readonly key: string
  /** Has the output of processes without a terminal, and of those that exited before it could be reached. */
  readonly log: ServiceLog
  /** The last process that was started; undefined: none runs. */
  readonly instance: Instance | undefined
  /** Resolves when there is another process than `last`; rejects when the signal aborts. */
  another(last: Instance | undefined, signal: AbortSignal): Promise<unknown>
}

/** Returns the processes of a service, through all its restarts. */
export function sourceOf({ ref, log, state, supervisor }: Service): TerminalSource {
  return {
    ...{ key: ref.key, log },
    get instance() {
      return supervisor.instance
    },
    another: (last, signal) =>
      state.until(() => supervisor.instance !== undefined && supervisor.instance !== last, signal),
  }
}
