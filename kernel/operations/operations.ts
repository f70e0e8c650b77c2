import { closure } from '../config/checks/dependency-graph.ts'
import type { Control, ProcessTable } from '../contract/plugin.ts'
import { LocaldError, messageOf } from '../errors.ts'
import { ServiceControl } from '../projects/catalog.ts'
import { presentPlan } from '../projects/loaded-plan.ts'
import { nodesOf, type Project } from '../projects/project.ts'
import { namesOf, servicesOf, splitNames } from '../projects/selectors.ts'
import type { ResetBody, RestartBody, StopBody, TargetBody, UpBody, WaitBody } from '../protocol.ts'
import type { Shell } from '../services/environment/shell.ts'
import { doneEvent, isUp } from '../services/outcome.ts'
import type { Service } from '../services/service.ts'
import type { ServiceState } from '../services/state.ts'
import type { CommandRuns } from '../terminals/command-runs.ts'
import { type EventSink, forwardEvents } from './event-sink.ts'
import { foreignStarts } from './foreign/starts.ts'
import { foreignNotices } from './foreign/stop-notices.ts'
import { finishIdleStops, IdleStops } from './idle/idle-stops.ts'
import { ServiceUse, type UseSources } from './idle/service-use.ts'
import { Leases, type LeasesInput } from './leases/leases.ts'
import { DeletedFolders } from './reload/deleted-folders.ts'
import { Reloads, type ReloadsInput } from './reload/reload.ts'
import type { StartRequest } from './start-request.ts'
import { Startup, type StartupParts } from './startup.ts'
import { selectStartedBy, stopChosen, stopTarget } from './stop.ts'

/** What operations work with. */
export interface OperationsInput extends Omit<StartupParts, 'reloads' | 'leases'> {
  readonly applied: ReloadsInput['applied']
  readonly openFolder: ReloadsInput['openFolder']
  readonly runs: CommandRuns
  readonly use: Omit<UseSources, 'runs' | 'foreign'>
  readonly lease: Pick<LeasesInput, 'holds' | 'isPinned'>
  readonly table: () => ProcessTable | undefined
  /** Stops processes that keepers hold but no service has adopted. Never rejects. */
  readonly tidy: () => Promise<void>
}

/**
 * What a caller does with projects: up, stop, restart, wait, reset. Operations of one project run one after the other.
 */
export class Operations {
  /** What plugins may do with services. */
  readonly control: Control
  readonly leases: Leases
  readonly deleted: DeletedFolders
  readonly #use: ServiceUse
  readonly #idle: IdleStops
  readonly #input: OperationsInput
  readonly #parts: StartupParts
  readonly #startup: Startup
  #closing: LocaldError | undefined

  constructor(input: OperationsInput) {
    this.#input = input
    const { events, log, applied, openFolder, projects } = input
    const reload = async (project: Project, why: string) => {
      if (this.#closing === undefined && project.wanted.size > 0)
        await this.#startup.reload(project, why).finally(() => this.#idle.look())
    }
    const stop = (project: Project, choose: () => readonly string[], why: string) =>
      stopChosen(project, choose, why, this.#parts)
    this.leases = new Leases({ ...input.lease, table: input.table, projects, log, stop })
    this.deleted = new DeletedFolders({ projects, events, log, table: input.table, stop })
    const reloads = new Reloads({ events, log, applied, openFolder, reload, deleted: this.deleted })
    this.#parts = { ...input, reloads, leases: this.leases }
    this.#startup = new Startup(this.#parts)
    this.#use = new ServiceUse({ ...input.use, runs: () => input.runs.list(), foreign: () => projects.foreign })
    this.#idle = new IdleStops({ projects, events, log, use: this.#use })
    this.control = new ServiceControl(projects, {
      stop: target => stopTarget(target, this.#parts),
      wake: key => this.#idle.wake(key),
    })
  }

  /**
   * Starts services and waits until each is ready or is not going to be. When it throws before the first event, nothing
   * has changed. When the caller leaves before anything is started, nothing is.
   */
  async up(body: UpBody, sink: EventSink, disconnected?: AbortSignal): Promise<void> {
    this.#refuseWhileClosing()
    const { projects } = this.#input
    const { here, elsewhere } = splitNames(body.services ?? [])
    const places = [...elsewhere].map(([name, names]) => ({ path: projects.getByName(name).ref.path, names }))
    if (here.length > 0 || elsewhere.size === 0) places.unshift({ path: body.path, names: here })
    const owner = body.lease === undefined ? undefined : await this.leases.identify(body.lease)
    const requests = await Promise.all(
      places.map(async ({ path, names }): Promise<StartRequest> => {
        const last = projects.loadedAt(path)
        // What runs keeps its environment.
        const isKept = body.env === undefined || (body.isAddition === true && (last?.wanted.size ?? 0) > 0)
        const shell = isKept || body.env === undefined ? shellOfLastUp(last, path) : body.env
        const addedEnvFiles = body.envFiles ?? (isKept ? last?.plan.envFiles : undefined)
        const how = { isStart: true, isUp: names.length === 0 }
        const loaded = await projects.plan(path, names, { shell, addedEnvFiles, ...how })
        const isExact = body.noDependencies === true && names.length > 0
        const which = { names: names.length === 0 ? undefined : names, isExact }
        return {
          ...{ loaded, shell, ...which, restart: [], again: names },
          ...(body.isAddition === true ? {} : { kept: names }),
        }
      }),
    )
    const caller = { sink, id: body.id, owner, ...(disconnected === undefined ? {} : { disconnected }) }
    const before = await foreignStarts(
      requests.filter(({ isExact }) => isExact !== true),
      projects,
    )
    await this.#startup.startAll([...before, ...requests], caller).finally(() => this.#idle.look())
  }

  /** Stops the named services and starts them again, with the present configuration. */
  async restart(body: RestartBody, sink: EventSink): Promise<void> {
    this.#refuseWhileClosing()
    const { projects } = this.#input
    const targets = await projects.targets(body)
    const requests = await Promise.all(
      targets.map(async ({ project, names }): Promise<StartRequest> => {
        const shell = body.env ?? shellOfLastUp(project, project.ref.path)
        const { envFiles: addedEnvFiles } = project.plan
        const loaded = await projects.plan(project.ref.path, [], { shell, addedEnvFiles, isStart: true })
        const more = body.dependents === true ? project.dependentsOf(names) : []
        const planned = new Set(loaded.plan.services.map(({ name }) => name))
        const restart = [...new Set([...names, ...more])].filter(name => planned.has(name))
        const areWanted = restart.every(name => project.wanted.has(name))
        // A dependency that was stopped on purpose stays stopped.
        const needed = closure(nodesOf(loaded.plan), restart).filter(name => !project.isStoppedOnPurpose(name))
        const which = areWanted ? { names: needed, isExact: true } : { names: restart }
        return { loaded, shell, restart, again: restart, ...which }
      }),
    )
    const before = await foreignStarts(requests, projects, true)
    await this.#startup.startAll([...before, ...requests], { sink }).finally(() => this.#idle.look())
  }

  /** Stops services, dependents first. */
  async stop(body: StopBody, sink: EventSink): Promise<void> {
    const { projects } = this.#input
    const meant = await projects.targets(body)
    // An `up` may have started services of other projects.
    const all = projects.list().map(project => ({ project, names: namesOf(project) }))
    const targets = body.begunBy === undefined ? meant : await selectStartedBy(body.begunBy, all)
    const services = targets.flatMap(servicesOf)
    await this.#forward(services, sink, () => Promise.all(targets.map(target => stopTarget(target, this.#parts))))
    for (const message of foreignNotices(targets, projects.foreign)) sink({ event: 'notice', message })
    sink(await doneEvent(services, ({ supervisor }) => !supervisor.active))
  }

  /** Stops a service and the commands in its place, removes its data, and starts it again if it was running. */
  async reset(body: ResetBody, sink: EventSink): Promise<void> {
    this.#refuseWhileClosing()
    const { project, service } = await this.#input.projects.target(body.path, body.service)
    const wipe = project.prepareReset(service)
    await this.#forward([service], sink, async () => {
      await this.#input.runs.stopOf(service.ref.key)
      await this.control.paused(service.ref.key, wipe)
      await service.state.until(() => service.state.settled)
    })
    sink(await doneEvent([service], other => isUp(other) || other.state.now.status === 'stopped'))
  }

  /**
   * Notes that services and their dependencies are in use as long as a process runs; starts those of the dependencies
   * that sleep, and waits for them. Without a process they are only started.
   */
  async noteUser(target: TargetBody, pid?: number): Promise<void> {
    for (const { project, names } of await this.#input.projects.targets(target)) {
      const foreign = this.#input.projects.foreign.needsOf(project, names).map(({ service }) => service)
      const used = [...servicesOf({ project, names: closure(project.nodes, names) }), ...foreign]
      if (pid !== undefined) await this.#use.add(used, pid)
      const isNeeded = (service: Service) =>
        foreign.includes(service) || !names.includes(service.ref.name) || project.isReached(service.ref.name)
      const sleeping = used.filter(service => service.state.now.asleepMs !== null && isNeeded(service))
      await Promise.all(sleeping.map(({ ref }) => this.#idle.wake(ref.key)))
      await Promise.all(sleeping.map(({ state }) => state.until(() => state.settled)))
    }
  }

  /** Waits until services are ready, including those that no one has started yet. */
  async wait(body: WaitBody, sink: EventSink, signal: AbortSignal): Promise<void> {
    const services = (await this.#input.projects.targets(body)).flatMap(servicesOf)
    const failed = new AbortController()
    const until = AbortSignal.any([signal, AbortSignal.timeout(body.timeoutMs), failed.signal])
    const waiting = (service: Service) =>
      service.state.until(() => {
        const { status, health } = service.state.now
        if (status === 'failed' || (status === 'running' && health === 'unhealthy')) failed.abort()
        return isUp(service)
      }, until)
    for (const { state } of services) sink({ event: 'service', service: state.view() })
    await this.#forward(services, sink, () => Promise.allSettled(services.map(waiting)))
    const isTimedOut = !services.every(isUp) && !failed.signal.aborted
    const timeout = new LocaldError('WAIT_TIMEOUT', `not ready within ${body.timeoutMs / 1000} s`, {
      hint: 'Run `locald status` to see the services and their reasons.',
    })
    sink(await doneEvent(services, isUp, isTimedOut ? timeout.toJSON() : undefined))
  }

  /** Starts what was meant to run when an earlier daemon exited, and does not; stops what was not. */
  async resume(project: Project): Promise<void> {
    const { reloads } = this.#parts
    const unwanted = namesOf(project).filter(name => !project.wanted.has(name))
    if (project.wanted.size === 0) return await stopTarget({ project, names: unwanted }, this.#parts)
    await this.#resumeForeign(project)
    await project.queue.run(async signal => {
      await project.runs.stop(unwanted)
      if (project.wanted.size === 0) return
      await project.runs.stop([...project.restarting], 'restarting')
      project.restarting.clear()
      const plans = await project.prepareOnly([...project.wanted]).catch(async (error: unknown) => {
        project.failWanted(messageOf(error))
        // A corrected file retries the services that could not be started.
        await reloads.follow(project)
        throw error
      })
      // A service that failed because of a dependency waits for it again.
      const isOver = ({ now }: ServiceState) => now.status === 'exited' || (now.status === 'failed' && now.launched)
      const down = [...plans].filter(
        ([{ supervisor, state }]) => !supervisor.active && !isOver(state) && state.now.asleepMs === null,
      )
      await project.runs.start(new Map(down), signal)
      await finishIdleStops(project)
    })
    if (project.wanted.size > 0) await reloads.resume(project)
  }

  /**
   * Starts what services that are about to start need of other projects: an earlier daemon may have been killed before it
   * started that.
   */
  async #resumeForeign(project: Project): Promise<void> {
    const { projects, log } = this.#input
    const { plan, shell, wanted } = project
    const down = ({ supervisor, state }: Service) =>
      !supervisor.active && state.now.status !== 'exited' && state.now.asleepMs === null
    const names = servicesOf({ project, names: [...wanted] }).filter(down)
    const needing = { loaded: presentPlan(project), shell, names: names.map(({ ref }) => ref.name) }
    try {
      const needed = await foreignStarts([needing], projects)
      await this.#startup.startForeign(needed.filter(({ loaded }) => loaded.plan.path !== plan.path))
    } catch (error) {
      log.warn(`${project.ref.name}: ${messageOf(error)}`)
    }
  }

  /**
   * Cancels all operations, watches and commands; then stops all services, or leaves them for the next daemon. Returns whether
   * all went well.
   */
  async close(keepServices: boolean, sink: EventSink): Promise<boolean> {
    const { events, projects, records, hooks, log, tidy } = this.#input
    this.#closing = new LocaldError('DAEMON_CLOSING', 'the daemon is shutting down', { hint: 'Try again in a moment.' })
    for (const { queue } of projects.list()) queue.cancel(this.#closing)
    this.leases.close()
    this.#idle.close()
    this.deleted.close()
    await this.#parts.reloads.close()
    await this.#input.runs.closeAll().catch(error => this.#input.log.warn(messageOf(error)))
    if (keepServices) return true
    events.emit({ event: 'notice', message: 'the daemon is shutting down' })
    const targets = await projects.targets({ path: '/', all: true })
    const halt = async (project: Project) => {
      await project.halt()
      await hooks.down(project.ref).catch(error => log.warn(messageOf(error)))
    }
    const stops = () => Promise.allSettled(targets.map(({ project }) => project.queue.run(() => halt(project))))
    const results = await this.#forward(targets.flatMap(servicesOf), sink, stops)
    await tidy()
    const isAll = results.every(({ status }) => status === 'fulfilled')
    if (isAll) records.clear()
    return isAll
  }

  #refuseWhileClosing(): void {
    if (this.#closing !== undefined) throw this.#closing
  }

  #forward<T>(services: readonly Service[], sink: EventSink, operation: () => Promise<T>): Promise<T> {
    return forwardEvents(this.#input.events, services, sink, operation)
  }
}

/** Returns the shell environment of the last `up` in a folder. Throws ENVIRONMENT_UNKNOWN. */
function shellOfLastUp(project: Project | undefined, path: string): Shell {
  if (project?.upShell !== undefined) return project.upShell
  throw new LocaldError('ENVIRONMENT_UNKNOWN', `the shell environment of the project in ${path} is not known`, {
    hint: `Run \`locald up\` in ${path}.`,
  })
}
