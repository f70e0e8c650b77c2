import { closure } from '../../config/checks/dependency-graph.ts'
import type { Log } from '../../contract/plugin.ts'
import { messageOf } from '../../errors.ts'
import type { Events } from '../../events.ts'
import type { Project } from '../../projects/project.ts'
import type { Projects } from '../../projects/projects.ts'
import type { Service } from '../../services/service.ts'
import type { ServiceUse } from './service-use.ts'

/** What idle stops work with. */
export interface IdleInput {
  readonly projects: Pick<Projects, 'list' | 'foreign'>
  readonly events: Events
  readonly use: Pick<ServiceUse, 'look' | 'lastOf'>
  readonly log: Log
}

/** A service that runs, and may stop when it is not used. */
interface Candidate {
  readonly project: Project
  readonly service: Service
  readonly idleMs: number
}

/** Looks this often within the time after which a service stops, between two limits: ms. */
const looks = 4
const shortestMs = 250
const longestMs = 15_000

/**
 * Stops services with `idle` that are not used, and starts them again for a request. Looks only while such services
 * run.
 */
export class IdleStops {
  readonly #input: IdleInput
  readonly #wakes = new Map<string, Promise<void>>()
  readonly #off: () => void
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(input: IdleInput) {
    this.#input = input
    this.#off = input.events.on(event => {
      if (event.event === 'service' && event.service.status === 'running') this.look()
    })
  }

  /** Begins to look, unless it does: a service that runs may stop by its changed file, or a plain `up`. */
  look(): void {
    if (this.#timer === undefined) this.#schedule()
  }

  /** Starts a service that sleeps, with its dependencies; all requests for it wait for one start. Never rejects. */
  wake(key: string): Promise<void> {
    const under = this.#wakes.get(key)
    if (under !== undefined) return under
    const found = this.#find(key)
    if (found === undefined) return Promise.resolve()
    const waking = this.#wake(found.project, found.service)
      .catch(error => this.#fail(found.service, error))
      .finally(() => this.#wakes.delete(key))
    this.#wakes.set(key, waking)
    return waking
  }

  close(): void {
    this.#isClosed = true
    this.#off()
    clearTimeout(this.#timer)
  }

  async #wake(project: Project, service: Service): Promise<void> {
    // Before its own turn: the other project may be waiting for this one.
    const foreign = this.#input.projects.foreign.needsOf(project, [service.ref.name])
    const sleeping = foreign.filter(other => other.service.state.now.asleepMs !== null)
    await Promise.all(sleeping.map(other => this.wake(other.service.ref.key)))
    await project.queue.run(async signal => {
      // A stop has come first.
      if (service.state.now.asleepMs === null || this.#isClosed) return
      const needed = closure(project.nodes, [service.ref.name]).filter(name => !project.isStoppedOnPurpose(name))
      await project.runs.start(await project.prepareOnly(needed), signal)
    })
  }

  /** Shows why a service cannot be started; the next request does not try it again. */
  #fail(service: Service, error: unknown): void {
    if (this.#isClosed) return
    service.state.set({ status: 'failed', health: null, reason: messageOf(error), pid: null, asleepMs: null })
    service.persist(null)
  }

  #find(key: string): { readonly project: Project; readonly service: Service } | undefined {
    for (const project of this.#input.projects.list())
      for (const service of project.services.values()) if (service.ref.key === key) return { project, service }
    return undefined
  }

  #schedule(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const all = this.#input.projects.list().flatMap(candidatesOf)
    if (all.length === 0 || this.#isClosed) return
    const shortest = Math.min(...all.map(({ idleMs }) => idleMs))
    const ms = Math.min(Math.max(shortest / looks, shortestMs), longestMs)
    this.#timer = setTimeout(() => {
      void this.#check()
        .catch(error => this.#input.log.warn(`the use of services is not known: ${messageOf(error)}`))
        .finally(() => this.#schedule())
    }, ms).unref()
  }

  async #check(): Promise<void> {
    const { projects, use, log } = this.#input
    await use.look(
      projects
        .list()
        .flatMap(candidatesOf)
        .map(({ service }) => service),
    )
    for (const project of projects.list()) {
      if (this.#dueOf(project).length === 0) continue
      this.#stop(project).catch(error => log.warn(`${project.ref.name}: ${messageOf(error)}`))
    }
  }

  /** Returns the services of a project that have not been used for long enough. */
  #dueOf(project: Project): readonly Candidate[] {
    const now = Date.now()
    return candidatesOf(project).filter(
      ({ service, idleMs }) => now - this.#input.use.lastOf(project, service) >= idleMs,
    )
  }

  async #stop(project: Project): Promise<void> {
    await project.queue.run(async () => {
      // It may have been used meanwhile.
      const due = this.#isClosed ? [] : this.#dueOf(project)
      for (const { service } of due) service.state.set({ asleepMs: Date.now() })
      await Promise.all(
        due.map(async ({ service, idleMs }) => {
          await project.runs.stop([service.ref.name], 'stopping', reasonOf(service, idleMs))
          // A stop removes the record, by which the next daemon knows that it sleeps.
          service.persist(null)
        }),
      )
    })
  }
}

/** Waits in the project's turn until services that an earlier daemon was stopping for lack of use are stopped. */
export async function finishIdleStops(project: Project): Promise<void> {
  const left = [...project.services.values()].filter(
    ({ supervisor, state }) => supervisor.active && state.now.asleepMs !== null,
  )
  await Promise.all(
    left.map(async service => {
      await service.supervisor.stop('stopping', service.state.now.reason)
      service.persist(null)
    }),
  )
}

/** Returns the services of a project that run and may stop when they are not used. */
function candidatesOf(project: Project): readonly Candidate[] {
  return project.plan.services.flatMap(({ name, common: { idle } }) => {
    const service = idle === undefined ? undefined : project.service(name)
    if (idle === undefined || service?.state.now.status !== 'running' || service.isKept) return []
    return [{ project, service, idleMs: idle }]
  })
}

function reasonOf({ hosts }: Service, idleMs: number): string {
  const next = hosts.length > 0 ? 'starts at the next request' : 'starts with what needs it'
  return `idle for ${formatIdle(idleMs)}; ${next}`
}

function formatIdle(ms: number): string {
  const [count, unit] =
    ms % 3_600_000 === 0 ? [ms / 3_600_000, 'h'] : ms % 60_000 === 0 ? [ms / 60_000, 'm'] : [ms / 1000, 's']
  return `${count}${unit}`
}
