import type { ProjectRef, ServicePlan } from '../contract/plugin.ts'
import { leaseName, type Ports } from '../registry/ports.ts'
import type { Service } from '../services/service.ts'

/** A service that needs ports: whether a main one, and which further ones, by the ports inside. */
export interface PortNeeds {
  readonly plan: ServicePlan
  readonly hasMain: boolean
  readonly further: readonly number[]
}

/** The ports of one project's services: fixed in its plan, or assigned. */
export class ProjectPorts {
  readonly #project: ProjectRef
  readonly #leases: Ports
  /** By the name of the lease. */
  #ports: ReadonlyMap<string, number> = new Map()
  #further: ReadonlyMap<string, readonly number[]> = new Map()

  constructor(project: ProjectRef, leases: Ports) {
    this.#project = project
    this.#leases = leases
  }

  /** Returns the port of a service, by its name in the project. */
  get(name: string): number | undefined {
    return this.#ports.get(name)
  }

  /** Returns the further ports of a service, by the ports inside. */
  further(name: string): Readonly<Record<string, number>> {
    const ports = (this.#further.get(name) ?? []).map(inside => [inside, this.#ports.get(leaseName(name, inside))])
    return Object.fromEntries(ports)
  }

  /** Leases the ports of all services. */
  async lease(services: readonly PortNeeds[]): Promise<void> {
    this.#further = new Map(services.map(({ plan, further }) => [plan.name, [...new Set(further)]]))
    this.#ports = await this.#leases.lease(
      this.#project,
      services.flatMap(({ plan: { name, common }, hasMain, further }) => [
        ...(hasMain ? [{ service: name, fixed: common.port }] : []),
        ...further.map(inside => ({ service: name, inside, fixed: undefined })),
      ]),
    )
  }

  /** Restores the ports that services have from an earlier daemon, by the names of the leases; they override others. */
  restore(ports: ReadonlyMap<string, number>): void {
    this.#ports = new Map([...this.#ports, ...ports])
  }

  /** Assigns other ports to an idle service whose assigned ports are in use. */
  async moveIfInUse(service: Service, isFixed: boolean): Promise<void> {
    const isIdle = !service.supervisor.active && service.state.now.status !== 'exited'
    if (isIdle) await this.move(service, isFixed)
  }

  /**
   * Assigns another port in place of each that is in use, and warns about it. Returns false where a port that is in use
   * is fixed.
   */
  async move(service: Service, isFixed: boolean): Promise<boolean> {
    const { name } = service.ref
    const main = this.#ports.get(name)
    if (main !== undefined && !(await this.#leases.isUsable(main, service.ref.key))) {
      if (isFixed) return false
      await this.#reassign(service, main)
    }
    for (const [inside, port] of Object.entries(this.further(name)))
      if (!(await this.#leases.isUsable(port, service.ref.key))) await this.#reassign(service, port, Number(inside))
    return true
  }

  async #reassign(service: Service, from: number, inside?: number): Promise<void> {
    const { name } = service.ref
    const port = await this.#leases.reassign(this.#project, name, inside)
    this.#ports = new Map(this.#ports).set(leaseName(name, inside), port)
    const which = inside === undefined ? '' : ` (${inside} inside)`
    service.warn(`port ${from} of ${name}${which} is in use by another process; using ${port}`)
  }
}
