import { foreignInCommands, foreignMentions } from '../config/checks/foreign-dependencies.ts'
import type { LoadedProject } from '../config/load.ts'
import { ownName } from '../config/references/foreign-key.ts'
import type { ProjectPlan, ProjectRef, ServicePlan, SharedUrl } from '../contract/plugin.ts'
import { LocaldError } from '../errors.ts'
import type { Contributions } from '../plugins/contributions.ts'
import { outlinePlan, type StartSource, startPlan } from '../services/prepare.ts'
import { type Service, type ServiceParts, workdirOf } from '../services/service.ts'
import type { Dependency, StartPlan, Wiring } from '../services/start-plan.ts'
import { type Drivers, missingDriver } from './drivers.ts'
import type { ForeignServices } from './foreign-services.ts'
import type { ProjectPorts } from './project-ports.ts'
import { type ForeignValues, References, type Referrer } from './references.ts'

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
  readonly foreign: ForeignServices
}

/** Makes the start plans of one project's services. */
export class StartPlans {
  readonly #project: PlannedProject
  readonly #parts: StartPlanParts
  readonly #drivers: Drivers
  readonly #ports: ProjectPorts
  readonly #references: References

  constructor(project: PlannedProject, parts: StartPlanParts, drivers: Drivers, ports: ProjectPorts) {
    this.#project = project
    this.#parts = parts
    this.#drivers = drivers
    this.#ports = ports
    this.#references = new References(
      {
        service: name => project.service(name),
        planOf: name => project.planOf(name),
        outline: (service, plan) => this.outline(service, plan),
        foreign: key => this.#foreign(key),
      },
      drivers,
      ports,
    )
  }

  /** Plans a start in the project's shell or another. Throws ENV_UNRESOLVED where a reference has no value. */
  async make(service: Service, plan: ServicePlan, shell = this.#project.shell): Promise<StartPlan> {
    const { plan: project } = this.#project
    const keys = [...foreignMentions(project, plan).map(({ key }) => key), ...foreignInCommands(project.name, plan)]
    await this.#parts.foreign.open(project, new Set(keys))
    return await startPlan(this.#source(service, plan, shell))
  }

  /** Returns the value of a service's field for one of another project that runs there. */
  lookupFrom(from: Referrer, name: string, field: string): string | undefined {
    return this.#references.lookupFrom(from, name, field)
  }

  /** Returns the ports on this machine's loopback of a service. */
  hostPortsOf(name: string): readonly number[] {
    return this.#references.hostPortsOf(name)
  }

  /** Returns a plan without an environment. */
  outline(service: Service, plan: ServicePlan): StartPlan {
    return outlinePlan(this.#source(service, plan, this.#project.shell))
  }

  /** Returns the value of `${services.NAME.FIELD}` as a service reads it; undefined where there is none. */
  lookup(reader: ServicePlan, name: string, field: string): string | undefined {
    return this.#references.lookup(this.#drivers.of(reader), name, field)
  }

  /** Returns how a service is connected now: ports move, and what was stopped on purpose is not waited for. */
  wiring(service: Service, plan: ServicePlan): Wiring {
    const port = this.#ports.get(plan.name)
    const ports = this.#ports.further(plan.name)
    const isFixed = plan.common.port !== undefined
    const canMove = (port !== undefined && !isFixed) || Object.keys(ports).length > 0
    return {
      ...{ port, ports },
      ...(canMove ? { movePort: () => this.#ports.move(service, isFixed) } : {}),
      url: this.urlOf(service),
      variables: this.#drivers.variablesOf(plan, { port, hosts: service.hosts }),
      dependencies: this.#dependencies(plan),
      isAwaited: this.#isAwaited(service),
    }
  }

  /** Returns a service's URL; null where it has no name, or no plugin serves host names. */
  urlOf({ hosts: [host] }: Service): string | null {
    return this.#parts.contributions.urlOf(host)
  }

  /** Returns where a service is shared. */
  sharesOf({ ref }: Service): readonly SharedUrl[] {
    return this.#parts.contributions.sharesOf(ref.key)
  }

  #source(service: Service, plan: ServicePlan, shell: PlannedProject['shell']): StartSource {
    const { ref, plan: project, environmentFiles } = this.#project
    const { hooks, contributions } = this.#parts
    const found = this.#drivers.find(plan)
    const driver = LocaldError.is(found) ? missingDriver(plan, found) : found
    const { reach } = driver
    return {
      ...{ shell, hooks, ref: service.ref, service: plan },
      project: { ...project, name: ref.name, domain: ref.domain },
      contributed: contributions.variables(),
      owners: contributions.variableOwners(),
      locate: environmentFiles.locate,
      envFiles: environmentFiles.envFiles,
      ...{ driver, reach, dir: workdirOf(ref, plan, reach) },
      wiring: () => this.wiring(service, plan),
      lookup: (other, field) => this.#references.lookup(driver, ownName(other, project.name), field),
      hostPorts: names => this.#references.hostPorts(names),
    }
  }

  #dependencies({ name: dependent, common }: ServicePlan): readonly Dependency[] {
    const own = Object.entries(common.dependsOn).flatMap(([name, condition]) => {
      const state = this.#project.service(name)?.state
      return state === undefined || this.#project.isStoppedOnPurpose(name) ? [] : [{ name, state, condition }]
    })
    const foreign = this.#parts.foreign
      .dependenciesOf(this.#project.plan, dependent)
      .filter(({ project, service }) => !project.isStoppedOnPurpose(service.ref.name))
      .map(({ key, service: { state }, condition }) => ({ name: key, state, condition }))
    return [...own, ...foreign]
  }

  #isAwaited(service: Service): boolean {
    const { name } = service.ref
    return (
      this.#project.plan.services.some(other => other.common.dependsOn[name] === 'completed') ||
      this.#parts.foreign.dependentsOf(service).some(({ condition }) => condition === 'completed')
    )
  }

  #foreign(key: string): ForeignValues | undefined {
    const found = this.#parts.foreign.find(this.#project.plan, key)
    if (found === undefined) return undefined
    const { project, service } = found
    return {
      lookup: (from, field) => project.lookupFrom(from, service.ref.name, field),
      hostPorts: () => project.hostPortsOf(service.ref.name),
    }
  }
}
