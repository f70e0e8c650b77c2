import { closure } from '../config/dependency-graph.ts'
import type { Log, Warning } from '../contract/plugin.ts'
import { LocaldError, messageOf } from '../errors.ts'
import { concerns, type Events, type LocaldEvent } from '../events.ts'
import type { HookRuns } from '../plugins/hooks.ts'
import { ServiceControl } from '../projects/catalog.ts'
import { nodesOf, type Project } from '../projects/project.ts'
import type { Loaded, Projects } from '../projects/projects.ts'
import { namesOf, servicesOf, splitNames, type Target } from '../projects/selectors.ts'
import type { ResetBody, RestartBody, StopBody, UpBody, WaitBody } from '../protocol.ts'
import { doneEvent, isUp } from '../services/outcome.ts'
import { requireValues } from '../services/prepare.ts'
import type { Records } from '../services/records/records.ts'
import type { Service } from '../services/service.ts'
import type { ServiceState } from '../services/state.ts'
import { pause } from '../system/async.ts'
import { Reloads, type ReloadsInput } from './reload.ts'
import { warnOfEnvironments, warnOfShell } from './shell-warning.ts'

/** Takes an operation's events; the last is `done`. */
export type Tell = (event: LocaldEvent) => void

/** What operations work with. */
export interface OperationsInput {
  readonly projects: Projects
  readonly events: Events
  readonly hooks: HookRuns
  readonly records: Records
  readonly seen: ReloadsInput['seen']
  readonly openFolder: ReloadsInput['openFolder']
  /** What plugins warn of at each `up`. */
  readonly warnings: () => readonly Warning[]
  /** Ends what is held but could not be adopted. Never rejects. */
  readonly tidy: () => Promise<void>
  readonly log: Log
}

/** Which services of a plan to begin, and for whom. */
interface Bring {
  readonly loaded: Loaded
  /** Undefined: all. */
  readonly names: readonly string[] | undefined
  /** These alone, without what they need. */
  readonly isExact?: boolean
  readonly shell: Readonly<Record<string, string>>
  /** Stopped first even if nothing of them has changed. */
  readonly anew: readonly string[]
  /** Started although they have ended well and nothing of them has changed. */
  readonly again: readonly string[]
  /** Filled with all that are meant, what these need included. */
  readonly services: Service[]
  readonly tell: Tell
  /** The name of the `up`, and whether who asked for it has left. */
  readonly id?: string | undefined
  readonly left?: AbortSignal
  /** What has changed, where a change of files is the cause. */
  readonly why?: string
}

/** Done waits this long for file watches, so that a change right after it is noticed: ms. */
const armingMs = 2000

/** What is done with projects: up, stop, restart, wait, reload. One project's operations are serialised. */
export class Operations {
  readonly #input: OperationsInput
  readonly #reloads: Reloads
  #closing: LocaldError | undefined

  constructor(input: OperationsInput) {
    this.#input = input
    const { events, log, seen, openFolder } = input
    this.#reloads = new Reloads({
      ...{ events, log, seen, openFolder },
      reload: (project, why) => this.#reload(project, why),
    })
  }

  /**
   * Starts services and waits until each is ready or is not going to be. Throws before the first event when nothing was changed. When
   * who asked for it leaves before anything is begun, nothing is.
   */
  async up(body: UpBody, tell: Tell, left?: AbortSignal): Promise<void> {
    this.#refuseWhileClosing()
    const { projects } = this.#input
    const { here, elsewhere } = splitNames(body.services ?? [])
    const places = [...elsewhere].map(([name, names]) => ({ path: projects.named(name).ref.path, names }))
    if (here.length > 0 || elsewhere.size === 0) places.unshift({ path: body.path, names: here })
    const all = await Promise.all(
      places.map(async ({ path, names }) => {
        const loaded = await projects.plan(path, names, { shell: body.env })
        return { names: names.length === 0 ? undefined : names, anew: [], again: names, loaded }
      }),
    )
    await this.#bringAll(all, { shell: body.env, tell, id: body.id, ...(left === undefined ? {} : { left }) })
  }

  /** Stops the named services and starts them again, with the configuration as it is now. */
  async restart(body: RestartBody, tell: Tell): Promise<void> {
    this.#refuseWhileClosing()
    const { projects } = this.#input
    const targets = await projects.targets(body)
    const all = await Promise.all(
      targets.map(async ({ project, names }) => {
        const loaded = await projects.plan(project.ref.path, [], { shell: body.env })
        const more = body.dependents === true ? project.dependentsOf(names) : []
        const planned = new Set(loaded.plan.services.map(({ name }) => name))
        const anew = [...new Set([...names, ...more])].filter(name => planned.has(name))
        const isUp = anew.every(name => project.wanted.has(name))
        // What was stopped on purpose stays so while others that need it are restarted.
        const needed = closure(nodesOf(loaded.plan), anew).filter(name => !project.isPutAside(name))
        return { loaded, anew, again: anew, ...(isUp ? { names: needed, isExact: true } : { names: anew }) }
      }),
    )
    await this.#bringAll(all, { shell: body.env, tell })
  }

  /** Stops services, dependents first. */
  async stop(body: StopBody, tell: Tell): Promise<void> {
    const meant = await this.#input.projects.targets(body)
    const targets = body.begunBy === undefined ? meant : await begunBy(body.begunBy, meant)
    const services = targets.flatMap(servicesOf)
    await this.#telling(services, tell, () => Promise.all(targets.map(target => this.#stopTarget(target))))
    tell(await doneEvent(services, ({ supervisor }) => !supervisor.active))
  }

  /** Wipes what a service keeps: it is stopped, its data removed, and it is started again if it was meant to run. */
  async reset(body: ResetBody, tell: Tell): Promise<void> {
    this.#refuseWhileClosing()
    const { projects } = this.#input
    const { project, service } = await projects.target(body.path, body.service)
    const wipe = project.wiper(service)
    await this.#telling([service], tell, async () => {
      await new ServiceControl(projects).paused(service.ref.key, wipe)
      await service.state.until(() => service.state.settled)
    })
    tell(await doneEvent([service], other => isUp(other) || other.state.now.status === 'stopped'))
  }

  /** Waits until services are ready. Those that nobody has started yet are waited for, too. */
  async wait(body: WaitBody, tell: Tell, signal: AbortSignal): Promise<void> {
    const services = (await this.#input.projects.targets(body)).flatMap(servicesOf)
    const failed = new AbortController()
    const until = AbortSignal.any([signal, AbortSignal.timeout(body.timeoutMs), failed.signal])
    const waiting = (service: Service) =>
      service.state.until(() => {
        const { status, health } = service.state.now
        if (status === 'failed' || (status === 'running' && health === 'unhealthy')) failed.abort()
        return isUp(service)
      }, until)
    for (const { state } of services) tell({ event: 'service', service: state.view() })
    await this.#telling(services, tell, () => Promise.allSettled(services.map(waiting)))
    const timedOut = !services.every(isUp) && !failed.signal.aborted
    const late = new LocaldError('WAIT_TIMEOUT', `not ready within ${body.timeoutMs / 1000} s`, {
      hint: '`locald status` shows the services and why they wait.',
    })
    tell(await doneEvent(services, isUp, timedOut ? late.toJSON() : undefined))
  }

  /** Starts what was meant to run when an earlier daemon ended, and does not; stops what was not. */
  async resume(project: Project): Promise<void> {
    const unwanted = namesOf(project).filter(name => !project.wanted.has(name))
    if (project.wanted.size === 0) return await this.#stopTarget({ project, names: unwanted })
    await project.queue.run(async signal => {
      await project.stopServices(unwanted)
      await project.stopServices([...project.halfway], 'restarting')
      project.halfway.clear()
      const ready = await project.prepareOnly([...project.wanted]).catch(async (error: unknown) => {
        project.refuse(messageOf(error))
        // A file that is mended starts what could not be.
        await this.#reloads.follow(project)
        throw error
      })
      // One that failed by a dependency waits for it again.
      const isOver = ({ now }: ServiceState) => now.status === 'exited' || (now.status === 'failed' && now.launched)
      const idle = [...ready].filter(([{ supervisor, state }]) => !supervisor.active && !isOver(state))
      await project.begin(new Map(idle), signal)
    })
    await this.#reloads.resume(project)
  }

  /** Ends all operations and watches; then stops all services, or leaves them for the next daemon. True: all went well. */
  async close(keepServices: boolean, tell: Tell): Promise<boolean> {
    const { events, projects, records, tidy } = this.#input
    this.#closing = new LocaldError('DAEMON_CLOSING', 'the daemon is shutting down', { hint: 'Try again in a moment.' })
    for (const { queue } of projects.list()) queue.cancel(this.#closing)
    await this.#reloads.close()
    if (keepServices) return true
    events.emit({ event: 'notice', message: 'the daemon is shutting down' })
    const targets = await projects.targets({ path: '/', all: true })
    const stops = () => Promise.allSettled(targets.map(({ project }) => project.queue.run(() => project.halt())))
    const results = await this.#telling(targets.flatMap(servicesOf), tell, stops)
    await tidy()
    const isAll = results.every(({ status }) => status === 'fulfilled')
    if (isAll) records.clear()
    return isAll
  }

  #refuseWhileClosing(): void {
    if (this.#closing !== undefined) throw this.#closing
  }

  async #bringAll(
    all: readonly Pick<Bring, 'loaded' | 'names' | 'isExact' | 'anew' | 'again'>[],
    asked: Pick<Bring, 'shell' | 'tell' | 'id' | 'left'>,
  ): Promise<void> {
    const { tell, shell } = asked
    for (const { loaded, names } of all)
      await requireValues(loaded, shell, { names, contributed: this.#input.projects.variables })
    const services: Service[] = []
    await this.#telling(services, tell, async () => {
      const armed: Promise<void>[] = []
      for (const one of all) {
        const project = await this.#bring({ ...one, ...asked, services })
        const follows = this.#reloads.follow(project)
        // It is awaited below, when all have begun.
        follows.catch(() => {})
        armed.push(follows)
      }
      this.#reloads.forgive(services)
      await Promise.all(services.map(({ state }) => state.until(() => state.settled)))
      await Promise.race([Promise.all(armed), pause(armingMs)])
    })
    tell(await doneEvent(services, isUp))
  }

  /** Takes a plan over and begins its services. What is wrong with their environment is thrown before anything is changed. */
  async #bring({ loaded, names, isExact, shell, anew, again, services, tell, id, left, why }: Bring): Promise<Project> {
    const { projects, events, warnings } = this.#input
    const project = await projects.identified(loaded)
    for (const moved of projects.predecessors(project.ref)) {
      await this.#stopTarget({ project: moved, names: namesOf(moved) })
      await projects.drop(moved.ref.path)
    }
    await project.queue.run(async signal => {
      left?.throwIfAborted()
      await project.adoptPlan(loaded, shell)
      project.note('configuration', undefined)
      const meant = names ?? loaded.plan.services.map(({ name }) => name)
      const ready = await (isExact ? project.prepareOnly(meant) : project.prepareAll(meant))
      signal.throwIfAborted()
      left?.throwIfAborted()
      services.push(...ready.keys())
      const { name, path, domain } = project.ref
      tell({ event: 'project', project: name, path, domain })
      for (const warning of warnings()) tell({ event: 'warning', ...warning })
      for (const warning of loaded.envFiles.warnings) events.emit({ event: 'warning', path, ...warning })
      warnOfEnvironments(ready)
      if (!isExact) warnOfShell(ready, anew)
      for (const { state, supervisor } of ready.keys())
        if (supervisor.active) tell({ event: 'service', service: state.view() })
      await project.stopServices(anew, 'restarting')
      await project.begin(ready, signal, { again, id, why })
    })
    return project
  }

  /** A project's files have changed: what differs is started anew, what is new is started; a wrong file changes nothing. */
  async #reload(project: Project, why: string): Promise<void> {
    if (this.#closing !== undefined || project.wanted.size === 0) return
    const before = new Set(namesOf(project))
    const isWhole = [...before].every(name => project.wanted.has(name))
    const { shell, environmentFiles } = project
    const loaded = await this.#input.projects.plan(project.ref.path, [], { shell, envFiles: environmentFiles.envFiles })
    const planned = nodesOf(loaded.plan)
    const kept = planned
      .map(({ name }) => name)
      .filter(name => project.wanted.has(name) || (isWhole && !before.has(name)))
    // What they need is started if it is new; what was stopped on purpose is not.
    const names = closure(planned, kept).filter(name => project.wanted.has(name) || !before.has(name))
    await requireValues(loaded, project.shell, { names, contributed: this.#input.projects.variables })
    const asked = { shell: project.shell, anew: [], again: [], services: [], tell: () => {}, why }
    const brought = await this.#bring({ loaded, names, isExact: true, ...asked })
    await this.#reloads.follow(brought)
  }

  async #stopTarget({ project, names }: Target): Promise<void> {
    const { records, hooks, log } = this.#input
    await project.queue.run(async () => {
      project.want([...project.wanted].filter(name => !names.includes(name)))
      await project.stopServices(names)
      if (project.wanted.size > 0) return
      records.dropProject(project.ref.path)
      await this.#reloads.forget(project)
      await hooks.down(project.ref).catch(error => log.warn(messageOf(error)))
    })
  }

  /** Runs an operation while the events of its services are told. */
  async #telling<T>(services: readonly Service[], tell: Tell, operation: () => Promise<T>): Promise<T> {
    const off = this.#input.events.on(event => {
      if (services.some(({ ref }) => concerns(event, ref))) tell(event)
    })
    try {
      return await operation()
    } finally {
      off()
    }
  }
}

/** What of targets an `up` has begun, once it has begun all or has given up. */
function begunBy(id: string, targets: readonly Target[]): Promise<readonly Target[]> {
  const chosen = targets.map(async ({ project }) => {
    await project.queue.run(async () => {})
    return { project, names: namesOf(project).filter(name => project.service(name)?.begunBy === id) }
  })
  return Promise.all(chosen)
}
