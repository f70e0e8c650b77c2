import type { Exit, Fault, Instance, Listener, Protocol, Run } from '../contract/plugin.ts'
import type { ServiceLog } from '../logs/service-log.ts'
import type { StartPlan } from './start-plan.ts'
import type { ServiceState } from './state.ts'

/** What a supervisor needs of its service. */
export interface SupervisorHost {
  readonly state: ServiceState
  readonly log: ServiceLog
  /** The address on which the service was last seen to listen. */
  address: string | undefined
  /** The port on which it was found to listen, while it ignores its own. */
  foundPort: number | undefined
  /** The protocol on its port, if its type says so. */
  readonly protocol: Protocol | undefined
  /** The crash, or the change of files, that caused its last restart. */
  restartedFor: string | undefined
  /** Describes the service to its driver. */
  run(plan: StartPlan, signal: AbortSignal): Run<unknown>
  /** Claims the ports before a start. Throws PORT_TAKEN; those before it are claimed then. */
  claimPort(plan: StartPlan): Promise<void>
  /** Claims the ports of an adopted service, which listens there already. */
  holdPort(plan: StartPlan): void
  releasePort(plan: StartPlan): void
  starting(): Promise<void>
  ready(address: string | undefined): Promise<void>
  /** Runs before an instance is stopped; never rejects. */
  stopping(): Promise<void>
  /** Runs after an instance has exited, or has failed to start; never rejects. */
  exited(exit?: Exit): Promise<void>
  /** Notes in its history how one run of an instance that stays has exited. */
  noteRun(exit: Exit): void
  /** Records what a later daemon needs of an instance (null: it exited). */
  persist(instance: Instance | null): void
  warn(message: string, hint?: string): void
  /** Finds in the output why its last process exited with this code, or does not get ready (`runs`). Never rejects. */
  explain(run: { readonly code: number | null; readonly runs: boolean }): Promise<string | undefined>
  /** Returns where the processes of the instance listen; none where that is not visible. Never rejects. */
  listeners(instance: Instance): Promise<readonly Listener[]>
  /** Returns its last output since its start, without control sequences. Never rejects. */
  lastLines(): Promise<readonly string[]>
  /** Whether a connection there would reach another user's process instead of the instance. */
  reachesOtherUser(instance: Instance, address: string, port: number): Promise<boolean>
  /**
   * Finds out why an instance with these listeners is not reached on its port; `mayBeTls`: something there accepts connections, but does
   * not answer in HTTP.
   */
  faultOf(listeners: readonly Listener[], port: number, mayBeTls: boolean): Promise<Fault | undefined>
}

/** A running instance that an earlier daemon started. */
export interface Adopted {
  readonly instance: Instance
  readonly ready: boolean
}
