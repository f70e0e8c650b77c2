import type { Condition, Fault, Instance, Protocol, Run, ServicePlan, ServiceType } from '../contract/plugin.ts'
import type { ServiceLog } from '../logs/service-log.ts'
import type { ServiceState } from './state.ts'

/** A dependency: the state to look at, and when it counts. */
export interface Dependency {
  readonly name: string
  readonly state: ServiceState
  readonly condition: Condition
}

/** What is fixed for one run of a service, from `start` to its end, through all its restarts. */
export interface Assignment {
  readonly plan: ServicePlan
  readonly driver: ServiceType<unknown>
  readonly port: number | undefined
  /** Given when the port was assigned, not fixed: another one, for a port that a stranger has taken. */
  readonly anotherPort?: () => Promise<number>
  readonly url: string | null
  readonly dependencies: readonly Dependency[]
  /** Whether another service waits for this one to complete. */
  readonly awaitedToComplete: boolean
}

/** What a supervisor asks of the kernel. */
export interface SupervisorHost {
  readonly state: ServiceState
  readonly log: ServiceLog
  /** Where the service was last seen to listen. */
  readonly address: string | undefined
  /** The crash, or the change of files, that its last restart was for. */
  restartedFor: string | undefined
  /** The driver's view of the service, its environment resolved now. */
  run(assignment: Assignment, signal: AbortSignal): Promise<Run<unknown>>
  /** Before a start: the port is this service's, and free. Throws PORT_TAKEN. */
  claimPort(assignment: Assignment): Promise<void>
  /** The port of a service that was taken over. */
  holdPort(assignment: Assignment): void
  releasePort(assignment: Assignment): void
  starting(): Promise<void>
  ready(address: string | undefined): Promise<void>
  /** Before a running instance is told to end; never rejects. */
  stopping(): Promise<void>
  gone(): Promise<void>
  /** The instance changed: keep what a later daemon needs (null: it ended). */
  persist(instance: Instance | null): void
  warn(message: string, hint?: string): void
  /** Why its last process ended with this code, or does not get ready (`runs`), as its output says. Never rejects. */
  explain(run: { readonly code: number | null; readonly runs: boolean }): Promise<string | undefined>
  /** What it speaks on its port, if its type says so. */
  readonly protocol: Protocol | undefined
  /** Whether another user's process would be reached there in the place of the instance. */
  isStrangers(instance: Instance, address: string, port: number): Promise<boolean>
  /** Finds out why the instance is not reached on its port; `mayBeTls`: something there accepts connections, but does not answer in HTTP. */
  faultOf(instance: Instance, port: number, mayBeTls: boolean): Promise<Fault | undefined>
}

/** A running instance that an earlier daemon started. */
export interface Adopted {
  readonly instance: Instance
  readonly ready: boolean
}
