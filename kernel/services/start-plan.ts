import type { EnvWarning } from '../config/sources/env-files.ts'
import type { Condition, ServicePlan, ServiceType } from '../contract/plugin.ts'
import type { VariableSource } from './environment/sources.ts'
import type { ServiceState } from './state.ts'

/** A dependency: the state to wait for, and the condition that it must meet. */
export interface Dependency {
  readonly name: string
  readonly state: ServiceState
  readonly condition: Condition
}

/** The variables that locald itself sets for a service. */
export interface OwnVariables {
  /** Its port, and the variables of plugins that override whatever else is written. */
  readonly own: Readonly<Record<string, string>>
  /** Where it listens, unless the project says otherwise. */
  readonly defaults: Readonly<Record<string, string>>
  /** Variables of plugins that are set where neither the project nor the shell does. */
  readonly fallbacks: Readonly<Record<string, string>>
}

/** How a service is connected to the rest: known without resolving its environment, and different once a port moves. */
export interface Wiring {
  readonly port: number | undefined
  /** Its further ports, by the ports inside. */
  readonly ports: Readonly<Record<string, number>>
  /**
   * Present when a port was assigned, not fixed: assigns others in place of those in use. `renew` returns a plan with
   * them. Returns false where a port in use is fixed.
   */
  readonly movePort?: () => Promise<boolean>
  /** Null without a host name, or where no plugin serves host names. */
  readonly url: string | null
  readonly variables: OwnVariables
  readonly dependencies: readonly Dependency[]
  /** Whether another service waits for this one to complete. */
  readonly isAwaited: boolean
}

/** A service's environment, resolved. */
export interface ResolvedEnvironment {
  readonly env: Readonly<Record<string, string>>
  /**
   * A hash of all that a running process is affected by: the service restarts when it changes. The caller's shell is
   * not part of it.
   */
  readonly fingerprint: string
  /** For a guest: ports on this machine's loopback of the host services that it depends on or refers to. */
  readonly hostPorts: readonly number[]
  readonly warnings: readonly EnvWarning[]
  /** Finds what set each variable, the strongest first, then what that overrides; takes a while. */
  sources(): Promise<ReadonlyMap<string, readonly VariableSource[]>>
}

/** All that one run of a service is started with, through all its restarts. */
export interface StartPlan extends Wiring, ResolvedEnvironment {
  readonly plan: ServicePlan
  readonly driver: ServiceType<unknown>
  /** Working folder, absolute; the project's for a guest. */
  readonly dir: string
  /**
   * Returns the plan for a start now. The environment is resolved again only when something that it was made from has
   * changed: the port, a value read from another service, a `.env` file. The `env` hook runs each time.
   */
  renew(): Promise<StartPlan>
}
