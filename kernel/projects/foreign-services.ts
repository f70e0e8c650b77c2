import { closure, type Node } from '../config/checks/dependency-graph.ts'
import { parseForeignKey } from '../config/references/foreign-key.ts'
import type { Condition, ProjectPlan, ProjectRef } from '../contract/plugin.ts'
import type { Service } from '../services/service.ts'
import type { ForeignFolders, NamingPlan } from './foreign-folders.ts'
import type { Referrer } from './references.ts'

/** What the services of other projects need of a project. */
export interface ForeignProject {
  readonly ref: ProjectRef
  readonly plan: ProjectPlan
  /** Its services as a graph. */
  readonly nodes: readonly Node[]
  service(name: string): Service | undefined
  isStoppedOnPurpose(name: string): boolean
  /** Returns the value of a service's field for one of another project that runs there. */
  lookupFrom(from: Referrer, name: string, field: string): string | undefined
  /** Returns the ports on this machine's loopback of a service. */
  hostPortsOf(name: string): readonly number[]
}

/** A service with its project. */
export interface ForeignService<P> {
  readonly project: P
  readonly service: Service
}

/** A service of another project that one depends on, by its name there: `PROJECT:SERVICE`. */
export interface ForeignDependency<P> extends ForeignService<P> {
  readonly key: string
  readonly condition: Condition
}

/** Where the other projects are found. */
export interface ForeignSource<P> {
  readonly folders: ForeignFolders
  list(): Iterable<P>
  /** Reads the project in a folder, unless it is known with that service. Never rejects. */
  open(folder: string, service: string): Promise<void>
}

/** Finds the services of other projects that those of a project need, and which services need one. */
export class ForeignServices<P extends ForeignProject = ForeignProject> {
  readonly #source: ForeignSource<P>

  constructor(source: ForeignSource<P>) {
    this.#source = source
  }

  /**
   * Returns the service that a plan names `PROJECT:SERVICE`, also where its folder was deleted since; undefined where its
   * project is not loaded.
   */
  find(plan: NamingPlan, key: string): ForeignService<P> | undefined {
    const named = parseForeignKey(key)
    if (named === undefined) return undefined
    const { folders } = this.#source
    const found = folders.find(plan, named.project)
    const folder = typeof found === 'string' ? found : folders.findDeleted(plan, named.project)
    if (folder === plan.path) return undefined
    for (const project of this.#source.list()) {
      const service = project.ref.path === folder ? project.service(named.service) : undefined
      if (service !== undefined) return { project, service }
    }
    return undefined
  }

  /** Reads the projects that names lead to, where they are not loaded. Never rejects. */
  async open(plan: NamingPlan, keys: Iterable<string>): Promise<void> {
    for (const key of keys) {
      const named = parseForeignKey(key)
      const folder = named === undefined ? undefined : this.#source.folders.find(plan, named.project)
      if (named !== undefined && typeof folder === 'string' && folder !== plan.path)
        await this.#source.open(folder, named.service)
    }
  }

  /** Returns the services of other projects that a service depends on, as far as they are loaded. */
  dependenciesOf(plan: ProjectPlan, name: string): readonly ForeignDependency<P>[] {
    const foreign = plan.services.find(service => service.name === name)?.common.foreign ?? {}
    return Object.entries(foreign).flatMap(([key, condition]) => {
      const found = this.find(plan, key)
      return found === undefined ? [] : [{ ...found, key, condition }]
    })
  }

  /** Returns all services of other projects that services need, directly or by way of others. */
  needsOf(project: P, names: readonly string[]): readonly ForeignService<P>[] {
    const found = new Map<string, ForeignService<P>>()
    const visit = (at: P, services: readonly string[]) => {
      for (const name of closure(at.nodes, services))
        for (const need of this.dependenciesOf(at.plan, name)) {
          const { name: needed, key } = need.service.ref
          if (found.has(key)) continue
          for (const other of closure(need.project.nodes, [needed])) {
            const service = need.project.service(other)
            if (service !== undefined) found.set(service.ref.key, { project: need.project, service })
          }
          visit(need.project, [needed])
        }
    }
    visit(project, names)
    return [...found.values()]
  }

  /** Returns the services of other projects that depend on a service, with the condition of each. */
  dependentsOf({ ref }: Service): readonly ForeignDependency<P>[] {
    return [...this.#source.list()].flatMap(project =>
      project.plan.services.flatMap(({ name, common }) => {
        if (common.foreign === undefined) return []
        const service = project.service(name)
        const need = this.dependenciesOf(project.plan, name).find(
          other => other.service.ref.name === ref.name && other.project.ref.path === ref.project.path,
        )
        return service === undefined || need === undefined ? [] : [{ ...need, project, service, key: service.ref.key }]
      }),
    )
  }
}
