import { networkOf } from '../config/checks/network.ts'
import type { ProjectRef, Protocol, ServicePlan, ServiceType, VariableTarget } from '../contract/plugin.ts'
import { LocaldError } from '../errors.ts'
import type { Contributions } from '../plugins/contributions.ts'
import { guestVariables, ownVariables } from '../services/environment/own-variables.ts'
import type { OwnVariables } from '../services/start-plan.ts'

/** Finds the drivers of one project's services. */
export class Drivers {
  readonly #project: ProjectRef
  readonly #contributions: Contributions

  constructor(project: ProjectRef, contributions: Contributions) {
    this.#project = project
    this.#contributions = contributions
  }

  /** Returns the driver of a service. Throws SERVICE_TYPE_UNSUPPORTED and the like, with the service's name. */
  of(plan: ServicePlan): ServiceType<unknown> {
    const driver = this.find(plan)
    if (LocaldError.is(driver)) throw driver
    return driver
  }

  /** As `of`, but returns the error. */
  find(plan: ServicePlan): ServiceType<unknown> | LocaldError {
    const driver = this.#contributions.findType(plan.type)
    if (!LocaldError.is(driver)) return driver
    return new LocaldError(driver.code, `service '${plan.name}': ${driver.message}`, {
      service: `${this.#project.name}:${plan.name}`,
      ...(driver.hint === undefined ? {} : { hint: driver.hint }),
    })
  }

  /** Whether a type has a usable driver. */
  isKnown(type: string): boolean {
    return !LocaldError.is(this.#contributions.findType(type))
  }

  /** Whether a service has a host name; false for an unknown type. */
  isWeb(plan: ServicePlan): boolean {
    const driver = this.#contributions.findType(plan.type)
    return !LocaldError.is(driver) && networkOf(driver, plan) === 'web'
  }

  /** Whether a service has a port. Throws as `of`. */
  hasPort(plan: ServicePlan): boolean {
    return networkOf(this.of(plan), plan) !== 'none'
  }

  /** Returns from where a service sees others; a service of an unknown type runs nowhere. */
  reachOf(plan: ServicePlan): 'host' | 'guest' {
    const driver = this.#contributions.findType(plan.type)
    return LocaldError.is(driver) ? 'host' : (driver.reach ?? 'host')
  }

  /** Returns the variables that locald and its plugins set for a service on a port of this machine. */
  variablesOf(plan: ServicePlan, target: VariableTarget): OwnVariables {
    const driver = this.#contributions.findType(plan.type)
    const contributed = this.#contributions.variables()
    if (LocaldError.is(driver) || driver.reach !== 'guest') return ownVariables(target, contributed)
    return guestVariables(target, contributed, driver.guestPort?.(plan.options))
  }

  /** Returns the protocol on a service's port, if its type says so. */
  protocol(plan: ServicePlan): Protocol | undefined {
    const driver = this.#contributions.findType(plan.type)
    return LocaldError.is(driver) ? undefined : driver.protocol?.(plan.options)
  }
}

/** Returns a driver for a type that no plugin provides: it refuses to start. */
export function missingDriver({ type }: ServicePlan, problem: LocaldError): ServiceType<unknown> {
  return { type, shape: { schema: {} }, start: () => Promise.reject(problem) }
}
