import type { Catalog, CatalogEntry, CatalogProject, Fault } from '../contract/plugin.ts'
import type { Events, LocaldEvent } from '../events.ts'
import { tailOf } from '../services/outcome.ts'
import type { Service } from '../services/service.ts'
import type { Project } from './project.ts'
import type { Arrivals } from './starting-projects.ts'

/** What plugins may see of all projects. Entries are made when they are asked for. */
export class ProjectCatalog implements Catalog {
  readonly #projects: () => Iterable<Project>
  readonly #events: Events
  readonly #arrivals: Arrivals

  constructor(projects: () => Iterable<Project>, events: Events, arrivals: Arrivals) {
    this.#projects = projects
    this.#events = events
    this.#arrivals = arrivals
  }

  projects(): readonly CatalogProject[] {
    return [...this.#projects()].map(({ ref, plan }) => ({
      ...ref,
      routes: plan.routes,
      wildcard: plan.wildcard,
    }))
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

  arriving(host: string): Promise<void> | undefined {
    return this.#arrivals.of(host)
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
