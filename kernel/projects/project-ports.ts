import type { ProjectRef, ServicePlan } from '../contract/plugin.ts'
import { isFree, type Ports } from '../registry/ports.ts'
import type { Service } from '../services/service.ts'

/** The ports of one project's services: fixed in its plan, or assigned. */
export class ProjectPorts {
  readonly #project: ProjectRef
  readonly #leases: Ports
  #ports: ReadonlyMap<string, number> = new Map()

  constructor(project: ProjectRef, leases: Ports) {
    this.#project = project
    this.#leases = leases
  }

  /** Returns the port of a service, by its name in the project. */
  get(name: string): number | undefined {
    return this.#ports.get(name)
  }

  /** Leases a port for each of the services. */
  async lease(services: readonly ServicePlan[]): Promise<void> {
    this.#ports = await this.#leases.lease(
      this.#project,
      services.map(({ name, common }) => ({ service: name, fixed: common.port })),
    )
  }

  /** Restores the ports that services have from an earlier daemon; they override leased ones. */
  restore(ports: ReadonlyMap<string, number>): void {
    this.#ports = new Map([...this.#ports, ...ports])
  }

  /** Assigns another port to an idle service whose assigned port is in use. */
  async moveIfInUse(service: Service, isFixed: boolean): Promise<void> {
    const port = this.#ports.get(service.ref.name)
    const idle = !service.supervisor.active && service.state.now.status !== 'exited'
    if (port === undefined || !idle || isFixed || (await isFree(port))) return
    await this.move(service, port)
  }

  /** Assigns another port to a service, and warns about it. */
  async move(service: Service, from: number): Promise<number> {
    const { name } = service.ref
    const other = await this.#leases.reassign(this.#project, name)
    this.#ports = new Map(this.#ports).set(name, other)
    service.warn(`port ${from} of ${name} is in use by another process; using ${other}`)
    return other
  }
}
