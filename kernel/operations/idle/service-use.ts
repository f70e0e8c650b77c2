import type { ProcessTable, Traffic } from '../../contract/plugin.ts'
import type { ForeignServices } from '../../projects/foreign-services.ts'
import type { Project } from '../../projects/project.ts'
import type { RunView } from '../../protocol.ts'
import type { Service } from '../../services/service.ts'

/** Where the use of services is read. */
export interface UseSources {
  readonly traffic: () => Traffic | undefined
  readonly table: () => Pick<ProcessTable, 'start' | 'connections'> | undefined
  /** Commands in the place of services. */
  readonly runs: () => readonly RunView[]
  readonly foreign: () => Pick<ForeignServices, 'dependentsOf'>
}

/** A process outside of the daemon that uses a service. */
interface User {
  readonly pid: number
  readonly start: string
}

/**
 * When services were used last: requests that the daemon forwards, connections to their ports, terminals that someone looks
 * at, commands in their place.
 */
export class ServiceUse {
  readonly #sources: UseSources
  readonly #users = new WeakMap<Service, readonly User[]>()

  constructor(sources: UseSources) {
    this.#sources = sources
  }

  /** Notes a process that uses services as long as it runs: `locald run`. */
  async add(services: readonly Service[], pid: number): Promise<void> {
    const start = await this.#sources.table()?.start(pid)
    if (start === undefined) return
    for (const service of services) {
      // Those that have exited are only removed otherwise where someone asks: of a service that never sleeps, no one does.
      const others = (await this.#usersOf(service)).filter(user => user.pid !== pid)
      this.#users.set(service, [...others, { pid, start }])
    }
  }

  /** Looks at the use of services that is only seen while it lasts. */
  async look(services: readonly Service[]): Promise<void> {
    const now = Date.now()
    const ports = services.map(({ state }) => state.now.port ?? 0)
    const connections = (await this.#sources.table()?.connections?.(ports)) ?? []
    for (const [at, service] of services.entries()) {
      const others = (connections[at] ?? 0) - (this.#trafficOf(service)?.connections ?? 0)
      if (others > 0 || (await this.#hasUser(service))) service.usedMs = now
    }
  }

  /** Returns when a service that runs was used last, or began to run: ms since the epoch; `now` while it is in use. */
  lastOf(project: Project, service: Service): number {
    const now = Date.now()
    if (this.#isBusy(service)) service.usedMs = now
    const names = project.dependentsOf([service.ref.name])
    const foreign = this.#sources.foreign().dependentsOf(service)
    const dependents = [...names.flatMap(name => project.service(name) ?? []), ...foreign.map(other => other.service)]
    if (dependents.some(({ supervisor }) => supervisor.active)) return now
    const usedAt = this.#trafficOf(service)?.usedAt
    const seen = usedAt === undefined ? 0 : now - (performance.now() - usedAt)
    const own = Math.max(service.state.sinceMs ?? 0, service.usedMs, seen)
    service.usedMs = own
    // A dependency is as unused as what needed it; one that someone has stopped has used it until then.
    const needed = dependents.map(other =>
      other.state.now.asleepMs === null ? (other.state.sinceMs ?? 0) : other.usedMs,
    )
    return Math.max(own, ...needed)
  }

  #isBusy(service: Service): boolean {
    const { key } = service.ref
    const isRunning = (run: RunView) => run.service === key && run.exit === null
    return service.viewers > 0 || (this.#trafficOf(service)?.open ?? 0) > 0 || this.#sources.runs().some(isRunning)
  }

  #trafficOf({ state }: Service): ReturnType<Traffic['of']> | undefined {
    const { port } = state.now
    return port === null ? undefined : this.#sources.traffic()?.of(port)
  }

  /** Returns the users that still run. */
  async #usersOf(service: Service): Promise<readonly User[]> {
    const users = this.#users.get(service) ?? []
    const starts = await Promise.all(users.map(({ pid }) => this.#sources.table()?.start(pid)))
    return users.filter(({ start }, at) => starts[at] === start)
  }

  async #hasUser(service: Service): Promise<boolean> {
    const left = await this.#usersOf(service)
    this.#users.set(service, left)
    return left.length > 0
  }
}
