import { closure, dependents, levels, type Node } from '../config/dependency-graph.ts'
import { EnvFiles } from '../config/env-files.ts'
import type { LoadedProject } from '../config/load.ts'
import { Trust } from '../config/trust.ts'
import type { ProjectPlan, ProjectRef, ServicePlan, ServiceType } from '../contract/plugin.ts'
import { LocaldError } from '../errors.ts'
import type { Contributions } from '../plugins/contributions.ts'
import { hostsOf } from '../registry/hostnames.ts'
import { allTogether } from '../services/environment/environment.ts'
import { Service, type ServiceParts } from '../services/service.ts'
import type { StartPlan } from '../services/start-plan.ts'
import type { NoteSubject } from '../services/state.ts'
import { OperationQueue } from '../system/async.ts'
import { ProjectPorts } from './project-ports.ts'
import { Drivers } from './service-types.ts'
import { type EnvironmentFiles, StartPlans } from './start-plans.ts'

/** The parts of the kernel a project works with. */
export interface ProjectParts extends ServiceParts {
  readonly contributions: Contributions
}

/** How services are begun. */
interface Begin {
  /** Those that are started again though they have ended well. */
  readonly again?: readonly string[]
  /** The name of what begins them. */
  readonly id?: string | undefined
  /** Shown by those that are started anew meanwhile. */
  readonly why?: string | undefined
}

/** One known project: its plan, its services, and what is done with them. */
export class Project {
  readonly ref: ProjectRef
  readonly queue = new OperationQueue()
  readonly services = new Map<string, Service>()
  plan: ProjectPlan
  shell: Readonly<Record<string, string>>
  /** Services that are meant to run: asked for by an `up`, and not stopped since. */
  wanted: ReadonlySet<string> = new Set()
  /** Services that an earlier daemon was ending, to start them again. */
  readonly halfway = new Set<string>()
  #environmentFiles: EnvironmentFiles
  readonly #drivers: Drivers
  readonly #ports: ProjectPorts
  readonly #starts: StartPlans
  readonly #parts: ProjectParts

  constructor(ref: ProjectRef, plan: ProjectPlan, shell: Readonly<Record<string, string>>, parts: ProjectParts) {
    this.ref = ref
    this.plan = plan
    this.shell = shell
    const trust = new Trust({ shell, dataFolder: parts.dataFolder })
    this.#environmentFiles = { envFiles: new EnvFiles({ trust, root: ref.path }) }
    this.#drivers = new Drivers(ref, parts.contributions)
    this.#ports = new ProjectPorts(ref, parts.ports)
    this.#starts = new StartPlans(this, parts, this.#drivers, this.#ports)
    this.#parts = parts
  }

  /** Where the present plan's environments are read from; what was read of pipes and devices is kept. */
  get environmentFiles(): EnvironmentFiles {
    return this.#environmentFiles
  }

  /** The services as a graph. */
  get nodes(): readonly Node[] {
    return nodesOf(this.plan)
  }

  /** Takes over a plan and leases its ports; nothing is started or stopped yet. */
  async adoptPlan(
    loaded: Pick<LoadedProject, 'plan'> & Partial<Pick<LoadedProject, 'locate' | 'envFiles'>>,
    shell: Readonly<Record<string, string>>,
  ): Promise<void> {
    this.plan = loaded.plan
    this.shell = shell
    this.#environmentFiles = {
      envFiles: loaded.envFiles ?? this.#environmentFiles.envFiles,
      ...(loaded.locate === undefined ? {} : { locate: loaded.locate }),
    }
    await this.#lease()
    for (const service of loaded.plan.services) this.#describe(service)
  }

  /**
   * Adopts what an earlier daemon left: the ports its services have; the others are leased. Nothing is started. A service whose type
   * no plugin provides any more has none: its start fails with the reason, and it does not keep the others from being adopted.
   */
  async recall(ports: ReadonlyMap<string, number>, wanted: readonly string[]): Promise<void> {
    this.wanted = new Set(wanted)
    await this.#lease(plan => this.#drivers.isKnown(plan.type))
    this.#ports.recall(ports)
    for (const service of this.plan.services) this.#describe(service)
  }

  /** Sets what is meant to run, for this daemon and the next. */
  want(names: Iterable<string>): void {
    this.wanted = new Set(names)
    const { ref, plan, shell } = this
    this.#parts.records.saveProject({ version: 1, ref, plan, shell, wanted: [...this.wanted] })
  }

  /** What is meant to run and neither does nor has ended by itself cannot be started: its state says why. */
  refuse(reason: string): void {
    for (const name of this.wanted) {
      const service = this.services.get(name)
      if (service === undefined || service.supervisor.active) continue
      const { status } = service.state.now
      if (status !== 'exited' && status !== 'failed')
        service.state.set({ status: 'failed', health: null, reason, pid: null })
    }
  }

  /** Sets the URLs of services after the plugin that serves host names has changed them. */
  refreshUrls(): void {
    for (const service of this.services.values()) service.state.set({ url: this.#starts.urlOf(service) })
  }

  /**
   * The named services and all they need, in the order of their start, each with what it would be started with. ENV_UNRESOLVED where
   * references have no value: so that is known before anything is changed.
   */
  async prepareAll(names: readonly string[]): Promise<ReadonlyMap<Service, StartPlan>> {
    return this.prepareOnly(closure(this.nodes, names))
  }

  /** As `prepareAll`, without what they need: a restart alone starts nothing that was stopped on purpose. */
  async prepareOnly(names: readonly string[]): Promise<ReadonlyMap<Service, StartPlan>> {
    const targets = this.#inOrder(names)
    const tries = targets.map(async service => [service, await this.prepare(service.ref.name)] as const)
    return new Map(await allTogether(tries, this.plan.path))
  }

  /**
   * Starts services made ready. What is unchanged and runs, or has ended well, is left alone, but for the `again` ones that have; what
   * is not in the plan any more is stopped. Resolves when all are begun; their states show the rest, and `begunBy` the `id` of what
   * began them.
   */
  async begin(
    targets: ReadonlyMap<Service, StartPlan>,
    signal: AbortSignal,
    { again = [], id, why }: Begin = {},
  ): Promise<void> {
    await this.#dropRemoved()
    this.want([...this.wanted, ...[...targets.keys()].map(({ ref }) => ref.name)])
    const changed = [...targets].filter(([service, prepared]) => {
      const plan = { ...prepared, ...this.#starts.wiring(service, prepared.plan) }
      return needsRestart(service, plan)
    })
    await this.stopServices(
      changed.map(([{ ref }]) => ref.name),
      'restarting',
      why,
    )
    signal.throwIfAborted()
    for (const service of targets.keys())
      await this.#ports.settle(service, this.planOf(service.ref.name)?.common.port !== undefined)
    signal.throwIfAborted()
    for (const [service, plan] of targets) {
      const isAgain = again.includes(service.ref.name) || service.fingerprint !== plan.fingerprint
      if (this.#start(service, plan, isAgain)) service.begunBy = id
    }
  }

  /** Stops one service and starts it again, whatever state it is in, for a change of files; `why` is shown meanwhile. */
  async again(name: string, why: string, signal: AbortSignal): Promise<void> {
    const ready = await this.prepareOnly([name])
    const service = this.services.get(name)
    const restarts = service?.state.now.restarts ?? 0
    await service?.supervisor.stop('restarting', why)
    await this.begin(ready, signal, { again: [name] })
    if (service === undefined) return
    service.state.set({ restarts: restarts + 1 })
    service.restartedFor = why
  }

  /** Sets or removes a note of all services. */
  note(subject: NoteSubject, text: string | undefined): void {
    for (const { state } of this.services.values()) state.note(subject, text)
  }

  /** Whether a service was stopped on purpose: what needs it does not wait for it. */
  isPutAside(name: string): boolean {
    const service = this.services.get(name)
    return service !== undefined && !this.wanted.has(name) && service.state.now.status === 'stopped'
  }

  /** What wipes the data of a service, which must not run meanwhile. USAGE where its type keeps none. */
  wiper(service: Service): () => Promise<void> {
    const { name, type } = service.ref
    const plan = this.planOf(name)
    const driver = plan === undefined ? undefined : this.#drivers.of(plan)
    if (plan !== undefined && driver?.reset !== undefined) {
      const run = service.run(this.#starts.outline(service, plan), new AbortController().signal)
      return async () => driver.reset?.(run)
    }
    throw new LocaldError('USAGE', `service '${name}' keeps nothing to reset: it is of type '${type}'`, {
      hint: '`locald restart` starts a service again.',
    })
  }

  /** Stops services, dependents first, those of one level side by side. */
  async stopServices(
    names: readonly string[],
    as: 'stopping' | 'restarting' = 'stopping',
    why: string | null = null,
  ): Promise<void> {
    const order = levels(this.nodes).reverse()
    const known = new Set(order.flat())
    const groups = [
      names.filter(name => !known.has(name)),
      ...order.map(level => level.filter(name => names.includes(name))),
    ]
    for (const group of groups) {
      await Promise.all(
        group.map(async name => {
          const service = this.services.get(name)
          await service?.supervisor.stop(as, why)
          if (as === 'stopping') this.#parts.records.dropService(this.ref.path, name)
        }),
      )
    }
  }

  /** Names of services that need one of the given. */
  dependentsOf(names: readonly string[]): readonly string[] {
    return dependents(this.nodes, names)
  }

  /** Whether a service's type tells others where it is reached, as databases do. */
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

  /** Plans the start of a service, in the project's shell or another. Throws ENV_UNRESOLVED where a reference has no value. */
  async prepare(name: string, shell?: Project['shell']): Promise<StartPlan> {
    const plan = this.planOf(name)
    const service = this.services.get(name)
    if (plan === undefined || service === undefined)
      throw new LocaldError('UNKNOWN_SERVICE', `there is no service '${name}'`)
    return await this.#starts.make(service, plan, shell)
  }

  /** Returns the plan of a service's start without its environment. */
  outline(service: Service, plan: ServicePlan): StartPlan {
    return this.#starts.outline(service, plan)
  }

  /** The driver of a service, or why there is none. */
  driverOf(plan: ServicePlan): ServiceType<unknown> | LocaldError {
    return this.#drivers.find(plan)
  }

  /** Stops all services and forgets them. */
  async end(): Promise<void> {
    await this.halt()
    for (const { key } of [...this.services.values()].map(({ ref }) => ref))
      this.#parts.events.emit({ event: 'removed', key })
  }

  /** Stops all services, which no later daemon starts again. */
  async halt(): Promise<void> {
    // First, so that a daemon which is killed meanwhile does not have its successor start them again.
    this.want([])
    await this.stopServices([...this.services.keys()])
    this.#parts.records.dropProject(this.ref.path)
  }

  async #dropRemoved(): Promise<void> {
    const removed = [...this.services.keys()].filter(name => this.planOf(name) === undefined)
    await this.stopServices(removed)
    for (const name of removed) this.#forget(name)
    this.wanted = new Set([...this.wanted].filter(name => !removed.includes(name)))
  }

  #inOrder(names: readonly string[]): readonly Service[] {
    return levels(this.nodes)
      .flat()
      .filter(name => names.includes(name))
      .flatMap(name => this.services.get(name) ?? [])
  }

  /** Begins a run unless one is under way. Returns whether it did. */
  #start(service: Service, prepared: StartPlan, isAgain: boolean): boolean {
    const { supervisor, state } = service
    // A dependency that this operation starts is waited for from now on; a port may have moved.
    const plan = { ...prepared, ...this.#starts.wiring(service, prepared.plan) }
    if (supervisor.active) supervisor.update(plan)
    else if (isAgain || state.now.status !== 'exited') {
      service.clock.begin()
      service.restartedFor = undefined
      supervisor.start(plan)
      return true
    }
    return false
  }

  async #lease(which: (plan: ServicePlan) => boolean = () => true): Promise<void> {
    await this.#ports.lease(this.plan.services.filter(plan => which(plan) && this.#drivers.hasPort(plan)))
  }

  /** Makes or updates a service's object from its plan. */
  #describe(plan: ServicePlan): void {
    const known = this.services.get(plan.name)
    const ref = { key: `${this.ref.name}:${plan.name}`, name: plan.name, type: plan.type, project: this.ref }
    const service = known ?? new Service(ref, this.#parts)
    service.hosts = hostsOf(plan, this.plan, this.ref, type => this.#drivers.isWeb(type))
    service.protocol = this.#drivers.protocol(plan)
    this.services.set(plan.name, service)
    if (!service.supervisor.active)
      service.state.set({ port: this.#ports.get(plan.name) ?? null, url: this.#starts.urlOf(service) })
  }

  #forget(name: string): void {
    const key = this.services.get(name)?.ref.key
    this.services.delete(name)
    this.#parts.records.dropService(this.ref.path, name)
    if (key !== undefined) this.#parts.events.emit({ event: 'removed', key })
  }
}

/** The services of a plan as a graph. */
export function nodesOf({ services }: ProjectPlan): readonly Node[] {
  return services.map(({ name, common }) => ({ name, dependsOn: Object.keys(common.dependsOn) }))
}

/** Whether a run that is under way has to give way to another one. */
function needsRestart({ supervisor, state, fingerprint }: Service, plan: StartPlan): boolean {
  const isSame = fingerprint === plan.fingerprint && !supervisor.waitsForOthers(plan)
  return supervisor.active && (!isSame || state.now.status === 'failed')
}
