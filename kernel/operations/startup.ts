import { closure } from '../config/checks/dependency-graph.ts'
import type { Warning } from '../contract/plugin.ts'
import type { Events, InferredProject } from '../events.ts'
import type { LoadedPlan } from '../projects/loaded-plan.ts'
import { nodesOf, type Project } from '../projects/project.ts'
import type { Projects } from '../projects/projects.ts'
import { namesOf, servicesOf } from '../projects/selectors.ts'
import { doneEvent, isUp } from '../services/outcome.ts'
import { unresolvedIn } from '../services/prepare.ts'
import type { Service } from '../services/service.ts'
import { pause } from '../system/async.ts'
import { type EventSink, forwardEvents } from './event-sink.ts'
import { inOtherProject } from './foreign/project-error.ts'
import { foreignStarts, isUnderWay, projectIn, withNewForeign } from './foreign/starts.ts'
import type { LeaseOwner } from './leases/lease-holds.ts'
import { warnOfEnvironments, warnOfShell } from './shell-warning.ts'
import type { StartRequest } from './start-request.ts'
import { type StopParts, stopTarget } from './stop.ts'

/** What starting services needs. */
export interface StartupParts extends StopParts {
  readonly projects: Projects
  readonly events: Events
  /** Returns what plugins warn of at each `up`. */
  readonly warnings: () => readonly Warning[]
}

/** For whom services are started. */
export interface StartCaller {
  readonly sink: EventSink
  /** The name of the `up`. */
  readonly id?: string | undefined
  /** Who keeps them running; undefined: they run until they are stopped. */
  readonly owner?: LeaseOwner | undefined
  /** Aborts when the caller disconnects. */
  readonly disconnected?: AbortSignal
  /** The change of files that causes the start. */
  readonly why?: string
}

/** `done` waits this long for file watches, so that a change right after it is noticed: ms. */
const armingMs = 2000

/** Starts services, by their plans. */
export class Startup {
  readonly #parts: StartupParts

  constructor(parts: StartupParts) {
    this.#parts = parts
  }

  /** Starts services of several projects and waits until each is ready or is not going to be. */
  async startAll(requests: readonly StartRequest[], caller: StartCaller): Promise<void> {
    const { events, reloads } = this.#parts
    const { sink } = caller
    for (const request of requests) if (!this.#isUnderWay(request)) await this.#requireValues(request)
    const services: Service[] = []
    await forwardEvents(events, services, sink, async () => {
      const armed: Promise<void>[] = []
      for (const request of requests) {
        const project = await this.#start(request, caller, services)
        const follows = reloads.follow(project)
        // It is awaited below, when all have started.
        follows.catch(() => {})
        armed.push(follows)
      }
      reloads.forgive(services)
      await Promise.all(services.map(({ state }) => state.until(() => state.settled)))
      await Promise.race([Promise.all(armed), pause(armingMs)])
    })
    sink(await doneEvent([...new Set(services)], isUp))
  }

  /** Applies a project's changed files: changed services restart, new ones start; an invalid file changes nothing. */
  async reload(project: Project, why: string): Promise<void> {
    const { projects, reloads } = this.#parts
    const before = new Set(namesOf(project))
    const isWhole = [...before].every(name => project.wanted.has(name))
    const { shell, environmentFiles, plan } = project
    const files = { envFiles: environmentFiles.envFiles, addedEnvFiles: plan.envFiles }
    const loaded = await projects.plan(project.ref.path, [], { shell, ...files, isStart: true })
    const planned = nodesOf(loaded.plan)
    const kept = planned
      .map(({ name }) => name)
      .filter(name => project.wanted.has(name) || (isWhole && !before.has(name)))
      .filter(name => (project.service(name)?.state.now.asleepMs ?? null) === null)
    // A new dependency is started; one that was stopped on purpose is not.
    const names = closure(planned, kept).filter(name => project.wanted.has(name) || !before.has(name))
    const request = { loaded, shell, names, isExact: true, restart: [], again: [] }
    // Of all that are meant to run: the changed file may name what does not exist, or close a circle.
    await foreignStarts([request], projects, true)
    const foreign = await foreignStarts([{ ...request, names: withNewForeign(project, loaded, names) }], projects)
    await this.#requireValues(request)
    await this.startForeign(foreign)
    await reloads.follow(await this.#start(request, { sink: () => {}, why }, []))
  }

  /** Starts services of other projects, as far as they do not run; does not wait until they are ready. */
  async startForeign(requests: readonly StartRequest[]): Promise<void> {
    for (const request of requests) {
      if (this.#isUnderWay(request)) continue
      await this.#requireValues(request)
      await this.#parts.reloads.follow(await this.#start(request, { sink: () => {} }, []))
    }
  }

  async #requireValues({ loaded, shell, names, neededBy }: StartRequest): Promise<void> {
    const { contributions } = this.#parts.projects
    const unresolved = await unresolvedIn(loaded, shell, { names, contributions })
    if (unresolved === undefined) return
    throw neededBy === undefined ? unresolved : inOtherProject(unresolved, `in ${loaded.plan.path}`)
  }

  /** Whether nothing of a request is to be started: only what other projects need is left alone. */
  #isUnderWay({ loaded, names = [], neededBy }: StartRequest): boolean {
    const project = neededBy === undefined ? undefined : projectIn(this.#parts.projects, loaded)
    return project !== undefined && names.every(name => isUnderWay(project, name))
  }

  /** Notes a caller that needs services of another project which run already. */
  #join(project: Project, { names = [], neededBy }: StartRequest, { sink, owner }: StartCaller): readonly Service[] {
    const services = servicesOf({ project, names })
    this.#parts.leases.grant(project, names, owner)
    const { name, path, domain } = project.ref
    sink({ event: 'project', project: name, path, domain, ...(neededBy === undefined ? {} : { neededBy }) })
    for (const { state } of services) sink({ event: 'service', service: state.view() })
    return services
  }

  /** Returns the project of a plan; stops what still runs of it in the folder from which it was moved. */
  async #identify(loaded: LoadedPlan, sink: EventSink): Promise<Project> {
    const { projects } = this.#parts
    const before = projects.movedFrom(loaded.plan.path)
    const project = await projects.identify(loaded)
    const old = projects.list().filter(({ ref }) => ref.path === before?.path)
    for (const moved of new Set([...projects.predecessors(project.ref), ...old])) {
      await stopTarget({ project: moved, names: namesOf(moved) }, this.#parts)
      await projects.drop(moved.ref.path)
    }
    const { name, path } = project.ref
    if (before?.name === name)
      sink({
        ...{ event: 'warning', path },
        message: `${name} was moved here from ${before.path}; names, ports and data stay`,
      })
    return project
  }

  /**
   * Adopts a plan and starts its services, which are added to `services` with their dependencies. Throws errors of
   * their environment before anything is changed.
   */
  async #start(
    request: StartRequest,
    { sink, id, owner, disconnected, why }: StartCaller,
    services: Service[],
  ): Promise<Project> {
    const { loaded, shell, names, isExact, restart, again, kept, neededBy } = request
    const { events, warnings, leases } = this.#parts
    const project = await this.#identify(loaded, sink)
    await project.queue.run(async signal => {
      disconnected?.throwIfAborted()
      if (this.#isUnderWay(request)) {
        services.push(...this.#join(project, request, { sink, owner }))
        return
      }
      await project.adoptPlan(loaded, shell)
      project.note('configuration', undefined)
      const meant = names ?? loaded.plan.services.map(({ name }) => name)
      const plans = await (isExact ? project.prepareOnly(meant) : project.prepareAll(meant))
      signal.throwIfAborted()
      disconnected?.throwIfAborted()
      services.push(...plans.keys())
      for (const service of plans.keys()) {
        service.usedMs = Date.now()
        if (kept !== undefined) service.isKept = kept.includes(service.ref.name)
      }
      const started = [...plans.keys()].map(service => service.ref.name)
      if (isExact && kept === undefined && owner === undefined && neededBy === undefined)
        leases.inherit(project, started)
      else leases.grant(project, started, owner)
      const { name, path, domain } = project.ref
      const by = neededBy === undefined ? {} : { neededBy }
      sink({ event: 'project', project: name, path, domain, ...by, ...inferredOf(loaded, plans) })
      for (const warning of warnings()) sink({ event: 'warning', ...warning })
      for (const warning of loaded.envFiles.warnings) events.emit({ event: 'warning', path, ...warning })
      warnOfEnvironments(plans)
      if (!isExact) warnOfShell(plans, restart)
      for (const { state, supervisor } of plans.keys())
        if (supervisor.active) sink({ event: 'service', service: state.view() })
      await project.runs.stop(restart, 'restarting')
      await project.runs.start(plans, signal, { again, id, why })
    })
    return project
  }
}

/** Returns what was inferred of the services that are started; nothing for a project with a `locald.toml`. */
function inferredOf(
  { inferred }: LoadedPlan,
  plans: ReadonlyMap<Service, unknown>,
): { readonly inferred?: InferredProject } {
  if (inferred === undefined) return {}
  const names = new Set([...plans.keys()].map(({ ref }) => ref.name))
  return { inferred: { ...inferred, services: inferred.services.filter(({ name }) => names.has(name)) } }
}
