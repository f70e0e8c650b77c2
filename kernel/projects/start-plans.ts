import type { LoadedProject } from '../config/load.ts'
import type { ProjectPlan, ProjectRef, ServicePlan } from '../contract/plugin.ts'
import { LocaldError } from '../errors.ts'
import type { Contributions } from '../plugins/contributions.ts'
import { fieldOf, outlinePlan, ownVariables, type StartSource, startPlan } from '../services/prepare.ts'
import { type Service, type ServiceParts, workdirOf } from '../services/service.ts'
import type { Dependency, StartPlan, Wiring } from '../services/start-plan.ts'
import { type Drivers, missingDriver } from './drivers.ts'
import type { ProjectPorts } from './project-ports.ts'

/** What a project's environments are read from: the last plan's files. */
export type EnvironmentFiles = Pick<LoadedProject, 'envFiles'> & Partial<Pick<LoadedProject, 'locate'>>

/** What start plans are made from. */
export interface PlannedProject {
  readonly ref: ProjectRef
  readonly plan: ProjectPlan
  readonly shell: Readonly<Record<string, string>>
  readonly environmentFiles: EnvironmentFiles
  service(name: string): Service | undefined
  planOf(name: string): ServicePlan | undefined
  /** Whether a service was stopped on purpose: its dependents do not wait for it. */
  isStoppedOnPurpose(name: string): boolean
}

/** The parts of the kernel that start plans need. */
export interface StartPlanParts extends Pick<ServiceParts, 'hooks'> {
  readonly contributions: Contributions
}

/** Makes the start plans of one project's services. */
export class StartPlans {
  readonly #project: PlannedProject
  readonly #parts: StartPlanParts
  readonly #drivers: Drivers
  readonly #ports: ProjectPorts

  constructor(project: PlannedProject, parts: StartPlanParts, drivers: Drivers, ports: ProjectPorts) {
    this.#project = project
    this.#parts = parts
    this.#drivers = drivers
    this.#ports = ports
  }

  /** Plans a start in the project's shell or another. Throws ENV_UNRESOLVED where a reference has no value. */
  async make(service: Service, plan: ServicePlan, shell = this.#project.shell): Promise<StartPlan> {
    return await startPlan(this.#source(service, plan, shell))
  }

  /** Returns a plan without an environment. */
  outline(service: Service, plan: ServicePlan): StartPlan {
    return outlinePlan(this.#source(service, plan, this.#project.shell))
  }

  /** Returns how a service is connected now: ports move, and what was stopped on purpose is not waited for. */
  wiring(service: Service, plan: ServicePlan): Wiring {
    const port = this.#ports.get(plan.name)
    const canMove = port !== undefined && plan.common.port === undefined
    return {
      port,
      ...(canMove ? { movePort: async () => void (await this.#ports.move(service, port)) } : {}),
      url: this.urlOf(service),
      variables: ownVariables({ port, hosts: service.hosts }, this.#parts.contributions.variables()),
      dependencies: this.#dependencies(plan),
      isAwaited: this.#project.plan.services.some(other => other.common.dependsOn[plan.name] === 'completed'),
    }
  }

  /** Returns a service's URL; null where it has no name, or no plugin serves host names. */
  urlOf({ hosts: [host] }: Service): string | null {
    return this.#parts.contributions.urlOf(host)
  }

  #source(service: Service, plan: ServicePlan, shell: PlannedProject['shell']): StartSource {
    const { ref, plan: project, environmentFiles } = this.#project
    const { hooks, contributions } = this.#parts
    const driver = this.#drivers.find(plan)
    return {
      ...{ shell, hooks, ref: service.ref, service: plan },
      project: { ...project, name: ref.name, domain: ref.domain },
      contributed: contributions.variables(),
      locate: environmentFiles.locate,
      envFiles: environmentFiles.envFiles,
      driver: LocaldError.is(driver) ? missingDriver(plan, driver) : driver,
      dir: workdirOf(ref, plan),
      wiring: () => this.wiring(service, plan),
      lookup: (other, field) => this.#lookup(other, field),
    }
  }

  #dependencies({ common }: ServicePlan): readonly Dependency[] {
    return Object.entries(common.dependsOn).flatMap(([name, condition]) => {
      const state = this.#project.service(name)?.state
      return state === undefined || this.#project.isStoppedOnPurpose(name) ? [] : [{ name, state, condition }]
    })
  }

  /** Returns what other services may read of one: `${services.NAME.FIELD}`. */
  #lookup(name: string, field: string): string | undefined {
    const service = this.#project.service(name)
    const plan = this.#project.planOf(name)
    if (service === undefined || plan === undefined) return undefined
    const exported = () => {
      const run = service.run(this.outline(service, plan), new AbortController().signal)
      return this.#drivers.of(plan).exports?.(run, { host: service.address ?? '127.0.0.1', port: run.port }) ?? {}
    }
    return fieldOf({ port: this.#ports.get(name), address: service.address, exported }, field)
  }
}
