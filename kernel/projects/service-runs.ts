import { levels, type Node } from '../config/checks/dependency-graph.ts'
import type { Events } from '../events.ts'
import type { Records } from '../services/records/records.ts'
import type { Service } from '../services/service.ts'
import type { StartPlan } from '../services/start-plan.ts'
import type { ProjectPorts } from './project-ports.ts'
import type { PlannedProject, StartPlans } from './start-plans.ts'

/** A project whose services are started and stopped. */
export interface RunningProject extends PlannedProject {
  /** The services as a graph. */
  readonly nodes: readonly Node[]
  readonly services: Map<string, Service>
  /** The services that are meant to run. */
  wanted: ReadonlySet<string>
  setWanted(names: Iterable<string>): void
  prepareOnly(names: readonly string[]): Promise<ReadonlyMap<Service, StartPlan>>
}

/** What starting and stopping needs. */
export interface RunParts {
  readonly events: Events
  readonly records: Records
  readonly ports: ProjectPorts
  readonly plans: StartPlans
}

/** How services are started. */
interface StartOptions {
  /** Those that are started again even when they have exited with success. */
  readonly again?: readonly string[]
  /** The name of the `up` that starts them. */
  readonly id?: string | undefined
  /** The reason shown by those that restart. */
  readonly why?: string | undefined
}

/** Starts and stops the services of one project, in the order of their dependencies. */
export class ServiceRuns {
  readonly #project: RunningProject
  readonly #parts: RunParts

  constructor(project: RunningProject, parts: RunParts) {
    this.#project = project
    this.#parts = parts
  }

  /**
   * Starts services by their plans. Leaves alone what runs unchanged or has exited with success, except the `again`
   * ones; stops what is not in the project's plan any more. Resolves when all have started their run: their states show
   * the rest, and `begunBy` the `id`.
   */
  async start(
    targets: ReadonlyMap<Service, StartPlan>,
    signal: AbortSignal,
    { again = [], id, why }: StartOptions = {},
  ): Promise<void> {
    const project = this.#project
    await this.#dropRemoved()
    project.setWanted([...project.wanted, ...[...targets.keys()].map(({ ref }) => ref.name)])
    const changed = [...targets].filter(([service, plan]) => needsRestart(service, this.#rewired(service, plan)))
    const names = changed.map(([{ ref }]) => ref.name)
    await this.stop(names, 'restarting', why)
    signal.throwIfAborted()
    for (const service of targets.keys())
      await this.#parts.ports.moveIfInUse(service, project.planOf(service.ref.name)?.common.port !== undefined)
    signal.throwIfAborted()
    for (const [service, plan] of targets) {
      const isRequested = again.includes(service.ref.name)
      const isAgain = isRequested || service.fingerprint !== plan.fingerprint
      if (!this.#start(service, this.#rewired(service, plan), isAgain)) continue
      service.begunBy = id
      service.isRequested = isRequested
    }
  }

  /** Restarts one service, in any state, because files changed; its state shows `why` meanwhile. */
  async restart(name: string, why: string, signal: AbortSignal): Promise<void> {
    const plans = await this.#project.prepareOnly([name])
    const service = this.#project.service(name)
    const restarts = service?.state.now.restarts ?? 0
    await service?.supervisor.stop('restarting', why)
    await this.start(plans, signal, { again: [name] })
    if (service === undefined) return
    service.state.set({ restarts: restarts + 1 })
    service.restartedFor = why
  }

  /** Stops services, dependents first, those of one level at once. */
  async stop(
    names: readonly string[],
    as: 'stopping' | 'restarting' = 'stopping',
    why: string | null = null,
  ): Promise<void> {
    const order = levels(this.#project.nodes).reverse()
    const known = new Set(order.flat())
    const groups = [
      names.filter(name => !known.has(name)),
      ...order.map(level => level.filter(name => names.includes(name))),
    ]
    for (const group of groups) {
      await Promise.all(
        group.map(async name => {
          await this.#project.service(name)?.supervisor.stop(as, why)
          if (as === 'stopping') this.#parts.records.dropService(this.#project.ref.path, name)
        }),
      )
    }
  }

  /**
   * Returns a plan with its present wiring: it waits for a dependency that this operation starts, and its port may have
   * moved.
   */
  #rewired(service: Service, plan: StartPlan): StartPlan {
    return { ...plan, ...this.#parts.plans.wiring(service, plan.plan) }
  }

  /** Begins a run unless one is under way. Returns whether it did. */
  #start(service: Service, plan: StartPlan, isAgain: boolean): boolean {
    const { supervisor, state } = service
    if (this.#project.planOf(service.ref.name) === undefined) return false
    if (supervisor.active) supervisor.update(plan)
    else if (isAgain || state.now.status !== 'exited') {
      service.clock.begin()
      state.set({ asleepMs: null })
      service.restartedFor = undefined
      supervisor.start(plan)
      return true
    }
    return false
  }

  async #dropRemoved(): Promise<void> {
    const project = this.#project
    const removed = [...project.services.values()].filter(({ ref }) => project.planOf(ref.name) === undefined)
    const names = removed.map(({ ref }) => ref.name)
    await this.stop(names)
    for (const { ref } of removed) {
      project.services.delete(ref.name)
      this.#parts.records.dropService(project.ref.path, ref.name)
      this.#parts.events.emit({ event: 'removed', key: ref.key })
    }
    project.wanted = new Set([...project.wanted].filter(name => !names.includes(name)))
  }
}

/** Whether the present run must give way to another one. */
function needsRestart({ supervisor, state, fingerprint }: Service, plan: StartPlan): boolean {
  const isSame = fingerprint === plan.fingerprint && !supervisor.waitsForOthers(plan)
  return supervisor.active && (!isSame || state.now.status === 'failed')
}
