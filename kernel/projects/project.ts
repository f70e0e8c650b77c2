import { closure, dependents, levels, type Node } from '../config/checks/dependency-graph.ts'
import type { LoadedProject } from '../config/load.ts'
import { EnvFiles } from '../config/sources/env-files.ts'
import { Trust } from '../config/trust/trust.ts'
import type { Condition, ProjectPlan, ProjectRef, ServicePlan, ServiceType } from '../contract/plugin.ts'
import { LocaldError } from '../errors.ts'
import type { Contributions } from '../plugins/contributions.ts'
import { hostsOf } from '../registry/hostnames.ts'
import { resolveAll } from '../services/environment/errors.ts'
import { ownEnvironment, type Shell } from '../services/environment/shell.ts'
import { Service, type ServiceParts } from '../services/service.ts'
import type { StartPlan } from '../services/start-plan.ts'
import type { NoteSubject } from '../services/state.ts'
import { OperationQueue } from '../system/async.ts'
import { describeOnBranch } from './branch-projects.ts'
import { Drivers } from './drivers.ts'
import type { ForeignServices } from './foreign-services.ts'
import { ProjectPorts } from './project-ports.ts'
import type { Referrer } from './references.ts'
import { ServiceRuns } from './service-runs.ts'
import { type EnvironmentFiles, StartPlans } from './start-plans.ts'

/** The parts of the kernel that a project needs. */
export interface ProjectParts extends ServiceParts {
  readonly contributions: Contributions
  readonly foreign: ForeignServices
}

/** A service that another one depends on, and what it is called there: `PROJECT:SERVICE` where it is of another project. */
export interface Need {
  readonly name: string
  readonly service: Service
  readonly condition: Condition
}

/** A known project: its plan, its services, and which of them are meant to run. */
export class Project {
  readonly ref: ProjectRef
  readonly queue = new OperationQueue()
  readonly services = new Map<string, Service>()
  readonly runs: ServiceRuns
  plan: ProjectPlan
  /** The shell environment of its last `up`; undefined: none is known. */
  upShell: Shell | undefined
  /** Services that are meant to run: started by an `up`, and not stopped since. */
  wanted: ReadonlySet<string> = new Set()
  /** Services that an earlier daemon was restarting: it had not stopped them yet. */
  readonly restarting = new Set<string>()
  #environmentFiles: EnvironmentFiles
  readonly #drivers: Drivers
  readonly #ports: ProjectPorts
  readonly #plans: StartPlans
  readonly #parts: ProjectParts

  constructor(ref: ProjectRef, plan: ProjectPlan, upShell: Shell | undefined, parts: ProjectParts) {
    this.ref = ref
    this.plan = plan
    this.upShell = upShell
    const trust = new Trust({ shell: this.shell, dataFolder: parts.dataFolder })
    this.#environmentFiles = { envFiles: new EnvFiles({ trust, root: ref.path }) }
    this.#drivers = new Drivers(ref, parts.contributions)
    this.#ports = new ProjectPorts(ref, parts.ports)
    this.#plans = new StartPlans(this, parts, this.#drivers, this.#ports)
    const { events, records } = parts
    this.runs = new ServiceRuns(this, { events, records, ports: this.#ports, plans: this.#plans })
    this.#parts = parts
  }

  /** The sources of the present plan's environments; what was read from pipes and devices is kept. */
  get environmentFiles(): EnvironmentFiles {
    return this.#environmentFiles
  }

  /** The shell environment that its services get: the daemon's own until an `up` brings that of a shell. */
  get shell(): Shell {
    return this.upShell ?? ownEnvironment()
  }

  /** The services as a graph. */
  get nodes(): readonly Node[] {
    return nodesOf(this.plan)
  }

  /** Adopts a plan and leases its ports; starts and stops nothing yet. */
  async adoptPlan(
    loaded: Pick<LoadedProject, 'plan'> & Partial<Pick<LoadedProject, 'locate' | 'envFiles'>>,
    upShell: Shell | undefined,
  ): Promise<void> {
    this.plan = loaded.plan
    this.upShell = upShell
    this.#environmentFiles = {
      envFiles: loaded.envFiles ?? this.#environmentFiles.envFiles,
      ...(loaded.locate === undefined ? {} : { locate: loaded.locate }),
    }
    await this.#lease()
    for (const service of loaded.plan.services) this.#updateService(service)
  }

  /**
   * Restores the ports that services have from an earlier daemon, and leases the others. Starts nothing. A service
   * whose type no plugin provides any more gets no port: its start fails with the reason, and the other services are
   * adopted nevertheless.
   */
  async restore(ports: ReadonlyMap<string, number>, wanted: readonly string[]): Promise<void> {
    this.wanted = new Set(wanted)
    await this.#lease(plan => this.#drivers.isKnown(plan.type))
    this.#ports.restore(ports)
    for (const service of this.plan.services) this.#updateService(service)
  }

  /** Sets what is meant to run, for this daemon and the next. */
  setWanted(names: Iterable<string>): void {
    this.wanted = new Set(names)
    const { ref, plan, shell } = this
    this.#parts.records.saveProject({ version: 1, ref, plan, shell, wanted: [...this.wanted] })
  }

  /** Marks the services that are meant to run, but cannot be started, as failed. */
  failWanted(reason: string): void {
    for (const name of this.wanted) {
      const service = this.services.get(name)
      if (service === undefined || service.supervisor.active || service.state.now.asleepMs !== null) continue
      const { status } = service.state.now
      if (status !== 'exited' && status !== 'failed')
        service.state.set({ status: 'failed', health: null, reason, pid: null })
    }
  }

  /** Sets the URLs of services after a plugin that serves them has changed them. */
  refreshUrls(): void {
    for (const service of this.services.values())
      service.state.set({ url: this.#plans.urlOf(service), shared: this.#plans.sharesOf(service) })
  }

  /**
   * Plans the start of the named services and of their dependencies, in the order of their start. Throws ENV_UNRESOLVED
   * where references have no value: before anything is changed.
   */
  async prepareAll(names: readonly string[]): Promise<ReadonlyMap<Service, StartPlan>> {
    return this.prepareOnly(closure(this.nodes, names))
  }

  /** As `prepareAll`, without dependencies: a mere restart starts nothing that was stopped on purpose. */
  async prepareOnly(names: readonly string[]): Promise<ReadonlyMap<Service, StartPlan>> {
    const targets = this.#inOrder(names)
    const tries = targets.map(async service => [service, await this.prepare(service.ref.name)] as const)
    return new Map(await resolveAll(tries, this.plan.path))
  }

  /** Sets or removes a note of all services. */
  note(subject: NoteSubject, text: string | undefined): void {
    for (const { state } of this.services.values()) state.note(subject, text)
  }

  /** Whether a service was stopped on purpose: its dependents do not wait for it. */
  isStoppedOnPurpose(name: string): boolean {
    const service = this.services.get(name)
    return service !== undefined && !this.wanted.has(name) && service.state.now.status === 'stopped'
  }

  /**
   * Returns what removes the data of a service, which must not run meanwhile. Throws USAGE where its type keeps none.
   */
  prepareReset(service: Service): () => Promise<void> {
    const { name, type } = service.ref
    const plan = this.planOf(name)
    const driver = plan === undefined ? undefined : this.#drivers.of(plan)
    if (plan !== undefined && driver?.reset !== undefined) {
      const run = service.run(this.#plans.outline(service, plan), new AbortController().signal)
      return async () => driver.reset?.(run)
    }
    throw new LocaldError('USAGE', `services of type '${type}' have no data to reset`, {
      hint: `Use \`locald restart ${name}\`.`,
    })
  }

  /** Returns the services that one depends on, those of other projects last. */
  needsOf(name: string): readonly Need[] {
    const own = Object.entries(this.planOf(name)?.common.dependsOn ?? {}).flatMap(([other, condition]) => {
      const service = this.services.get(other)
      return service === undefined ? [] : [{ name: other, service, condition }]
    })
    const foreign = this.#parts.foreign.dependenciesOf(this.plan, name)
    return [...own, ...foreign.map(({ key, service, condition }) => ({ name: key, service, condition }))]
  }

  /** Names the services that depend on one of the given. */
  dependentsOf(names: readonly string[]): readonly string[] {
    return dependents(this.nodes, names)
  }

  /** Whether a service's type exports values to others, as databases do. */
  isReached(name: string): boolean {
    const plan = this.planOf(name)
    return plan !== undefined && this.#drivers.of(plan).exports !== undefined
  }

  service(name: string): Service | undefined {
    return this.services.get(name)
  }

  planOf(name: string): ServicePlan | undefined {
    return this.plan.services.find(service => service.name === name)
  }

  /**
   * Plans the start of a service, in the project's shell or another. Throws ENV_UNRESOLVED where a reference has no
   * value.
   */
  async prepare(name: string, shell?: Shell): Promise<StartPlan> {
    const plan = this.planOf(name)
    const service = this.services.get(name)
    if (plan === undefined || service === undefined)
      throw new LocaldError('UNKNOWN_SERVICE', `unknown service '${name}'`)
    return await this.#plans.make(service, plan, shell)
  }

  /** Returns the value of `${services.NAME.FIELD}` as a service reads it; undefined where there is none. */
  lookup(reader: ServicePlan, name: string, field: string): string | undefined {
    return this.#plans.lookup(reader, name, field)
  }

  /** Returns the plan of a service's start without its environment. */
  outline(service: Service, plan: ServicePlan): StartPlan {
    return this.#plans.outline(service, plan)
  }

  /** Returns the value of a service's field for one of another project that runs there. */
  lookupFrom(from: Referrer, name: string, field: string): string | undefined {
    return this.#plans.lookupFrom(from, name, field)
  }

  /** Returns the ports on this machine's loopback of a service. */
  hostPortsOf(name: string): readonly number[] {
    return this.#plans.hostPortsOf(name)
  }

  /** Returns the driver of a service, or why there is none. */
  driverOf(plan: ServicePlan): ServiceType<unknown> | LocaldError {
    return this.#drivers.find(plan)
  }

  /** Stops all services and forgets them. */
  async remove(): Promise<void> {
    await this.halt()
    for (const { key } of [...this.services.values()].map(({ ref }) => ref))
      this.#parts.events.emit({ event: 'removed', key })
  }

  /** Stops all services; no later daemon starts them again. */
  async halt(): Promise<void> {
    // Recorded first: the successor of a daemon that is killed meanwhile must not start them again.
    this.setWanted([])
    await this.runs.stop([...this.services.keys()])
    this.#parts.records.dropProject(this.ref.path)
  }

  #inOrder(names: readonly string[]): readonly Service[] {
    return levels(this.nodes)
      .flat()
      .filter(name => names.includes(name))
      .flatMap(name => this.services.get(name) ?? [])
  }

  async #lease(which: (plan: ServicePlan) => boolean = () => true): Promise<void> {
    await this.#ports.lease(
      this.plan.services.filter(which).map(plan => ({
        plan,
        hasMain: this.#drivers.hasPort(plan),
        further: this.#drivers.of(plan).ports?.(plan.options) ?? [],
      })),
    )
  }

  /** Creates or updates a service's object from its plan. */
  #updateService(plan: ServicePlan): void {
    const known = this.services.get(plan.name)
    const ref = { key: `${this.ref.name}:${plan.name}`, name: plan.name, type: plan.type, project: this.ref }
    const service = known ?? new Service(ref, this.#parts)
    service.hosts = hostsOf(plan, this.plan, this.ref, service => this.#drivers.isWeb(service))
    service.protocol = this.#drivers.protocol(plan)
    this.services.set(plan.name, service)
    service.state.set({ hidden: plan.common.hidden ?? false, shared: this.#plans.sharesOf(service) })
    service.state.note('projects', describeOnBranch(this.plan, plan.name))
    if (!service.supervisor.active)
      service.state.set({ port: this.#ports.get(plan.name) ?? null, url: this.#plans.urlOf(service) })
  }
}

/** Returns the services of a plan as a graph. */
export function nodesOf({ services }: ProjectPlan): readonly Node[] {
  return services.map(({ name, common }) => ({ name, dependsOn: Object.keys(common.dependsOn) }))
}
