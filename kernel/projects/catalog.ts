import { closure } from '../config/checks/dependency-graph.ts'
import type { Catalog, CatalogEntry, CatalogProject, Control, Fault, ProjectRef } from '../contract/plugin.ts'
import { messageOf } from '../errors.ts'
import type { Events, LocaldEvent } from '../events.ts'
import { isStillAt } from '../lib/real-path.ts'
import { tailOf } from '../services/outcome.ts'
import type { Service } from '../services/service.ts'
import type { Project } from './project.ts'
import type { Projects } from './projects.ts'
import { secretsIn } from './secrets.ts'
import type { Target } from './selectors.ts'
import type { StartingProjects } from './starting-projects.ts'

/** Shows plugins all projects and services. Creates entries on demand. */
export class ProjectCatalog implements Catalog {
  readonly #projects: () => Iterable<Project>
  readonly #events: Events
  readonly #starting: StartingProjects

  readonly #known: () => readonly Pick<ProjectRef, 'name' | 'path'>[]

  /** @param known returns all projects that were ever started */
  constructor(
    projects: () => Iterable<Project>,
    events: Events,
    starting: StartingProjects,
    known: () => readonly Pick<ProjectRef, 'name' | 'path'>[] = () => [],
  ) {
    this.#known = known
    this.#projects = projects
    this.#events = events
    this.#starting = starting
  }

  projects(): readonly CatalogProject[] {
    return [...this.#projects()].map(({ ref, plan }) => ({
      ...ref,
      routes: plan.routes,
      wildcard: plan.wildcard,
    }))
  }

  isKnown(name: string): boolean {
    return this.#known().some(project => project.name === name && isStillAt(project.path))
  }

  services(): readonly CatalogEntry[] {
    return [...this.#all()].map(entryOf)
  }

  get(key: string): CatalogEntry | undefined {
    const service = this.#find(key)
    return service === undefined ? undefined : entryOf(service)
  }

  async settled(key: string, signal: AbortSignal): Promise<CatalogEntry | undefined> {
    const service = this.#find(key)
    if (service === undefined) return undefined
    await service.state.until(() => !pending.has(service.state.now.status), signal)
    return this.get(key)
  }

  startLimit(key: string): number {
    for (const project of this.#projects()) {
      const service = [...project.services.values()].find(({ ref }) => ref.key === key)
      if (service === undefined) continue
      const limits = closure(project.nodes, [service.ref.name]).map(
        name => project.planOf(name)?.common.readyTimeout ?? 0,
      )
      return limits.reduce((sum, ms) => sum + ms, 0)
    }
    return 0
  }

  arriving(host: string): Promise<void> | undefined {
    return this.#starting.find(host)
  }

  async examine(key: string): Promise<Fault | undefined> {
    return await this.#find(key)?.examine()
  }

  async hasStandIn(key: string): Promise<boolean> {
    return (await this.#find(key)?.hasStandIn()) ?? false
  }

  async tail(key: string, lines: number): Promise<readonly string[]> {
    const service = this.#find(key)
    return service === undefined ? [] : tailOf(service, lines)
  }

  async secrets(name: string): Promise<readonly string[]> {
    const found = [...this.#projects()].filter(({ ref }) => ref.name === name)
    const envFiles = ({ plan }: Project) => plan.services.flatMap(({ common: { envFile } }) => envFile)
    return (await Promise.all(found.map(each => secretsIn(each.ref.path, envFiles(each))))).flat()
  }

  on(listener: (event: LocaldEvent) => void): () => void {
    return this.#events.on(listener)
  }

  *#all(): Generator<Service> {
    for (const project of this.#projects()) yield* project.services.values()
  }

  #find(key: string): Service | undefined {
    for (const service of this.#all()) if (service.ref.key === key) return service
    return undefined
  }
}

const pending: ReadonlySet<string> = new Set(['waiting', 'starting', 'restarting'])

function entryOf(service: Service): CatalogEntry {
  const { port, fault } = service.state.now
  const upstream = port === null ? null : { host: service.address ?? '127.0.0.1', port }
  return {
    ...service.state.view(),
    hosts: service.hosts,
    upstream,
    protocol: service.protocol,
    fault: fault ?? undefined,
  }
}

/** What the control does by operations. */
export interface ControlOperations {
  /** Stops services until they are started again. */
  readonly stop: (target: Target) => Promise<void>
  /** Starts a service that was stopped because it was not used. */
  readonly wake: (key: string) => Promise<void>
}

/** Stops and starts services for plugins that change their data. */
export class ServiceControl implements Control {
  readonly #projects: Projects
  readonly #operations: ControlOperations

  constructor(projects: Projects, operations: ControlOperations) {
    this.#projects = projects
    this.#operations = operations
  }

  async paused<T>(key: string, work: () => Promise<T>): Promise<T> {
    const found = this.#find(key)
    if (found === undefined) return work()
    const { project, service } = found
    const { name } = service.ref
    return project.queue.run(async signal => {
      // A failed service is started as well: the work may have fixed it.
      const isWanted = project.wanted.has(name)
      if (service.supervisor.active) await project.runs.stop([name], isWanted ? 'restarting' : 'stopping')
      try {
        return await work()
      } finally {
        if (isWanted) await startAgain(project, service, signal)
      }
    })
  }

  async stop(key: string): Promise<void> {
    const found = this.#find(key)
    if (found !== undefined) await this.#operations.stop({ project: found.project, names: [found.service.ref.name] })
  }

  async wake(key: string): Promise<void> {
    await this.#operations.wake(key)
  }

  warn(key: string, message: string, hint?: string): void {
    this.#find(key)?.service.warn(message, hint)
  }

  note(key: string, plugin: string, text: string | undefined): void {
    this.#find(key)?.service.state.note(`plugin ${plugin}`, text)
  }

  #find(key: string): { readonly project: Project; readonly service: Service } | undefined {
    for (const project of this.#projects.list()) {
      for (const service of project.services.values()) if (service.ref.key === key) return { project, service }
    }
    return undefined
  }
}

/** Starts a service again; a failure becomes its reason, or it would show 'restarting' forever. */
async function startAgain(project: Project, { ref, state }: Service, signal: AbortSignal): Promise<void> {
  try {
    await project.runs.start(await project.prepareOnly([ref.name]), signal, { again: [ref.name] })
  } catch (error) {
    state.set({ status: 'failed', health: null, reason: messageOf(error), pid: null })
    throw error
  }
}
