import { Trust } from './config/trust.ts'
import { findProjectRoot, type LoadedProject, loadProject, type Places, type TypeSource } from './config.ts'
import { LocaldError } from './errors.ts'
import type { ProjectPlan, ProjectRef } from './plugin.ts'
import { Project, type ProjectParts } from './project.ts'
import type { Registry } from './registry.ts'
import type { Service } from './service.ts'
import { namesOf, projectAt, projectNamed, requireServices, servicesOf, splitNames, type Target } from './targets.ts'
import type { KeysQuery, PluginView, TargetBody } from './wire.ts'

/** What the projects work with. */
export interface ProjectsParts extends ProjectParts {
  readonly registry: Registry
  readonly places: Places
  /** The plugins as they were loaded: a project may need some. */
  readonly plugins: () => readonly PluginView[]
}

/** A project as its files say it is, checked, before anything is changed. */
export interface Loaded {
  readonly plan: ProjectPlan
  readonly locate: LoadedProject['locate']
  readonly envFiles: LoadedProject['envFiles']
}

/** For whom a project is loaded. */
export interface Asker {
  /** The environment of the shell that asked, where there is one. */
  readonly shell?: Readonly<Record<string, string>>
  /** What was read of pipes when it was loaded before: it is not read again. */
  readonly envFiles?: LoadedProject['envFiles'] | undefined
}

/** All known projects, by folder: reads their configuration, and finds what requests mean. Starts and stops nothing. */
export class Projects {
  readonly #byPath = new Map<string, Project>()
  readonly #parts: ProjectsParts

  constructor(parts: ProjectsParts) {
    this.#parts = parts
  }

  list(): readonly Project[] {
    return [...this.#byPath.values()]
  }

  /** What plugins registered, as the configuration reads it. */
  get types(): TypeSource {
    const { contributions, plugins } = this.#parts
    return {
      plugins: plugins(),
      find: type => contributions.findType(type),
      names: contributions.typeNames(),
      defaultType: contributions.defaultType,
      sources: contributions.sources(),
    }
  }

  /** Loads the configuration of the project that a folder is in. */
  async load(path: string, { shell, envFiles }: Asker = {}): Promise<LoadedProject> {
    const { places } = this.#parts
    const trust = new Trust({ shell, dataFolder: places.data })
    const root = await findProjectRoot(path, this.types.sources, trust)
    return loadProject(root, this.types, places, { trust, envFiles })
  }

  /** Loads, checks and lets plugins rewrite a project's plan: every error of the user's comes from here, with nothing changed. */
  async plan(path: string, names: readonly string[], asker?: Asker): Promise<Loaded> {
    const loaded = await this.load(path, asker)
    const plan = await this.#parts.hooks.project(loaded.plan)
    requireServices(
      plan.name,
      plan.services.map(service => service.name),
      names,
    )
    return { plan, locate: loaded.locate, envFiles: loaded.envFiles }
  }

  /** The project object of a plan. One whose name or domain was changed is a new project: the old one's services are stopped. */
  async identified({ plan }: Loaded): Promise<Project> {
    const { name, path, domain } = plan
    const ref = this.#parts.registry.identify(
      { name, path, domain },
      plan.services.map(service => service.name),
    )
    const known = this.#byPath.get(path)
    if (known !== undefined && known.ref.name === ref.name && known.ref.domain === ref.domain) return known
    await known?.end()
    // Until an `up` brings a shell's environment, the daemon's own stands in.
    return this.add(ref, plan, known?.shell ?? ownEnvironment())
  }

  /** Makes a project known. */
  add(ref: ProjectRef, plan: ProjectPlan, shell: Readonly<Record<string, string>>): Project {
    const project = new Project(ref, plan, shell, this.#parts)
    this.#byPath.set(ref.path, project)
    return project
  }

  /** Forgets the project in a folder; what runs of it is stopped. */
  async drop(path: string): Promise<void> {
    const project = this.#byPath.get(path)
    this.#byPath.delete(path)
    await project?.queue.run(() => project.end())
  }

  /** The known project that a name means. Throws UNKNOWN_PROJECT. */
  named(name: string): Project {
    return projectNamed(this.list(), name)
  }

  /** The services meant by a request: of the project at its path, of projects they name, or of all. */
  async targets(body: TargetBody): Promise<readonly Target[]> {
    if (body.all === true) return this.list().map(project => ({ project, names: namesOf(project) }))
    const { here, elsewhere } = splitNames(body.services ?? [])
    const targets: Target[] = []
    if (here.length > 0 || elsewhere.size === 0) {
      const project = projectAt(this.#byPath, body.path) ?? (await this.#described(body.path))
      requireServices(project.ref.name, namesOf(project), here)
      targets.push({ project, names: here.length === 0 ? namesOf(project) : here })
    }
    for (const [name, names] of elsewhere) {
      const project = this.named(name)
      requireServices(name, namesOf(project), names)
      targets.push({ project, names })
    }
    return targets
  }

  /** The services that a query names, as `targets` finds them. */
  async chosen({ path, service = [], all = false }: KeysQuery): Promise<readonly Service[]> {
    return (await this.targets({ path, services: [service].flat(), all })).flatMap(servicesOf)
  }

  /** The one service a request names. */
  async target(path: string, name: string): Promise<{ readonly project: Project; readonly service: Service }> {
    const [target] = await this.targets({ path, services: [name] })
    const service = target === undefined ? undefined : servicesOf(target)[0]
    if (target === undefined || service === undefined)
      throw new LocaldError('UNKNOWN_SERVICE', `there is no service '${name}'`)
    return { project: target.project, service }
  }

  /** All services, of one project or of all, without starting or loading anything. */
  services(path?: string): readonly Service[] {
    const projects = path === undefined ? this.list() : [projectAt(this.#byPath, path)]
    return projects.flatMap(project => (project === undefined ? [] : [...project.services.values()]))
  }

  /** The project in a folder that nobody has started yet: its services described, not running. */
  async #described(path: string): Promise<Project> {
    const loaded = await this.plan(path, [])
    const project = await this.identified(loaded)
    await project.adoptPlan(loaded, project.shell)
    return project
  }
}

/** The daemon's own environment, where no shell has given one. */
export function ownEnvironment(): Record<string, string> {
  const set = Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
  return Object.fromEntries(set)
}
