import { isForeignKey } from '../config/references/foreign-key.ts'
import type { Address, ServicePlan, ServiceType } from '../contract/plugin.ts'
import { LocaldError } from '../errors.ts'
import type { Service } from '../services/service.ts'
import type { StartPlan } from '../services/start-plan.ts'
import type { Drivers } from './drivers.ts'
import type { ProjectPorts } from './project-ports.ts'

/** What references need of a project. */
export interface ReferredProject {
  service(name: string): Service | undefined
  planOf(name: string): ServicePlan | undefined
  /** Returns the plan of a start without its environment. */
  outline(service: Service, plan: ServicePlan): StartPlan
  /** Returns what is read of a service that the project names `PROJECT:SERVICE`; undefined where it is not loaded. */
  foreign(key: string): ForeignValues | undefined
}

/** What is read of a service of another project. */
export interface ForeignValues {
  lookup(from: Referrer, field: string): string | undefined
  hostPorts(): readonly number[]
}

/** A service that another one refers to. */
interface Referred {
  readonly service: Service
  readonly plan: ServicePlan
  readonly driver: ServiceType<unknown> | undefined
  /** Whether a service of another project refers to it. */
  readonly isForeign?: boolean
}

/** Where the service that refers to others runs: on this machine, or as a guest. */
export type Referrer = Pick<ServiceType<unknown>, 'reach' | 'hostName'>

/** The field of a further port, by the port inside: `ports.9001`. */
const furtherPort = /^ports\.(\d+)$/

/** Resolves what the services of one project read of each other, as each of them reaches the others. */
export class References {
  readonly #project: ReferredProject
  readonly #drivers: Drivers
  readonly #ports: ProjectPorts

  constructor(project: ReferredProject, drivers: Drivers, ports: ProjectPorts) {
    this.#project = project
    this.#drivers = drivers
    this.#ports = ports
  }

  /**
   * Returns the value of `${services.NAME.FIELD}` for a service that runs there: a port, `host`, an export, `url`. The
   * name may be `PROJECT:SERVICE`.
   */
  lookup(from: Referrer, name: string, field: string): string | undefined {
    if (isForeignKey(name)) return this.#project.foreign(name)?.lookup(from, field)
    const referred = this.#find(name)
    return referred === undefined ? undefined : this.#valueOf(referred, from, field)
  }

  /** As `lookup`, for a service of another project: guests of different projects share no network. */
  lookupFrom(from: Referrer, name: string, field: string): string | undefined {
    const referred = this.#find(name)
    return referred === undefined ? undefined : this.#valueOf({ ...referred, isForeign: true }, from, field)
  }

  #valueOf(referred: Referred, from: Referrer, field: string): string | undefined {
    const inside = furtherPort.exec(field)?.[1]
    if (inside !== undefined) return this.#portOf(from, referred, Number(inside))?.toString()
    const at = this.#addressFor(from, referred)
    if (at === undefined) return undefined
    const { host, port } = at
    if (field === 'port') return port?.toString()
    if (field === 'host') return port === undefined ? undefined : host
    const value = this.#exportsOf(referred, at)[field]
    if (value !== undefined || field !== 'url' || port === undefined) return value
    return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  }

  /** Returns the ports on this machine's loopback of those of the named services that run on it. */
  hostPorts(names: readonly string[]): readonly number[] {
    const all = names.flatMap(name => {
      if (isForeignKey(name)) return this.#project.foreign(name)?.hostPorts() ?? []
      const referred = this.#find(name)
      return referred === undefined || isReachedInside(referred) ? [] : this.#portsOf(referred)
    })
    return [...new Set(all)].sort((a, b) => a - b)
  }

  /** Returns the ports on this machine's loopback of a service, which may be a guest. */
  hostPortsOf(name: string): readonly number[] {
    const referred = this.#find(name)
    return referred === undefined ? [] : this.#portsOf(referred)
  }

  #portsOf(referred: Referred): readonly number[] {
    return [this.#mainPort(referred) ?? [], ...Object.values(this.#ports.further(referred.plan.name))].flat()
  }

  #find(name: string): Referred | undefined {
    const service = this.#project.service(name)
    const plan = this.#project.planOf(name)
    if (service === undefined || plan === undefined) return undefined
    const driver = this.#drivers.find(plan)
    return { service, plan, driver: LocaldError.is(driver) ? undefined : driver }
  }

  #mainPort({ service, plan }: Pick<Referred, 'service' | 'plan'>): number | undefined {
    return service.foundPort ?? this.#ports.get(plan.name)
  }

  /** Undefined: a guest that does not reach this machine. */
  #addressFor({ reach, hostName }: Referrer, referred: Referred): Address | undefined {
    const { service, plan, driver } = referred
    const port = this.#mainPort(referred)
    if (reach !== 'guest') return { host: service.address ?? '127.0.0.1', port }
    if (isReachedInside(referred) && driver?.guestHost !== undefined)
      return { host: driver.guestHost(this.#runOf(referred)), port: driver.guestPort?.(plan.options) }
    return hostName === undefined ? undefined : { host: hostName, port }
  }

  /** Returns where a port inside a service is reached: the main one is one of them. */
  #portOf({ reach }: Referrer, referred: Referred, inside: number): number | undefined {
    const { plan, driver } = referred
    const isMain = driver?.guestPort?.(plan.options) === inside
    if (!isMain && driver?.ports?.(plan.options).includes(inside) !== true) return undefined
    if (reach === 'guest' && isReachedInside(referred)) return inside
    return isMain ? this.#mainPort(referred) : this.#ports.further(plan.name)[inside]
  }

  /** Throws SERVICE_TYPE_UNSUPPORTED where no plugin provides the type. */
  #exportsOf(referred: Referred, at: Address): Readonly<Record<string, string>> {
    return this.#drivers.of(referred.plan).exports?.(this.#runOf(referred), at) ?? {}
  }

  #runOf({ service, plan }: Referred) {
    return service.run(this.#project.outline(service, plan), new AbortController().signal)
  }
}

/** Whether guests reach it without this machine's network. */
function isReachedInside({ driver, isForeign = false }: Referred): boolean {
  return !isForeign && driver?.reach === 'guest' && driver.guestHost !== undefined
}
