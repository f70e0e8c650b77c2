import { resolve } from 'node:path'
import { findProjectRoot, type LoadedProject, loadProject, type Places, type TypeSource } from '../config/load.ts'
import { Trust } from '../config/trust.ts'
import type { ProjectPlan, ProjectRef, Variable } from '../contract/plugin.ts'
import { isStillAt } from '../contract/real-path.ts'
import { LocaldError } from '../errors.ts'
import type { KeysQuery, PluginView, TargetBody } from '../protocol.ts'
import { worktreeIn } from '../registry/git-worktree.ts'
import type { Registry } from '../registry/registry.ts'
import { recordId } from '../services/records/records.ts'
import type { Service } from '../services/service.ts'
import { Project, type ProjectParts } from './project.ts'
import {
  isPath,
  namesOf,
  projectAt,
  projectNamed,
  requireServices,
  servicesOf,
  type Target,
  unknownProject,
} from './selectors.ts'

/** What the projects work with. */
export interface ProjectsParts extends ProjectParts {
  readonly registry: Registry
  readonly places: Places
  /** The plugins as they were loaded: a project may need some. */
  readonly plugins: () => readonly PluginView[]
  /** Top-level tables of config.toml that hold options of plugins. */
  readonly settingsTables: readonly string[]
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
    const { contributions, plugins, settingsTables } = this.#parts
    return {
      plugins: plugins(),
      find: type => contributions.findType(type),
      names: contributions.typeNames(),
      defaultType: contributions.defaultType,
      sources: contributions.sources(),
      reserved: contributions.reservedHosts(),
      tables: { settings: settingsTables, project: contributions.tables() },
    }
  }

  /** The variables that plugins set for services. */
  get variables(): readonly Variable[] {
    return this.#parts.contributions.variables()
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

  /**
   * Those whose folder no longer exists and whose name or domain another project has taken over: it was moved, most often, and what runs
   * of it must stop before the same is started in its new place.
   */
  predecessors({ name, domain, path }: ProjectRef): readonly Project[] {
    return this.list().filter(
      ({ ref }) => ref.path !== path && (ref.name === name || ref.domain === domain) && !isStillAt(ref.path),
    )
  }

  /** Makes a project known. */
  add({ name, path, domain }: ProjectRef, plan: ProjectPlan, shell: Readonly<Record<string, string>>): Project {
    const worktree = worktreeIn(path)
    const ref = { name, path, domain, ...(worktree === undefined ? {} : { worktree }) }
    const project = new Project(ref, plan, shell, this.#parts)
    this.#byPath.set(path, project)
    return project
  }

  /** Forgets the project in a folder; what runs of it is stopped. */
  async drop(path: string): Promise<void> {
    const project = this.#byPath.get(path)
    this.#byPath.delete(path)
    await project?.queue.run(() => project.end())
  }

  /** The key of the service, or the name of the project, that a record is of. */
  recorded(id: string): string | undefined {
    for (const { ref, services } of this.list()) {
      if (recordId(ref.path) === id) return ref.name
      const service = [...services.values()].find(({ ref: { name } }) => recordId(ref.path, name) === id)
      if (service !== undefined) return service.ref.key
    }
    return undefined
  }

  /** The known project that a name means. Throws UNKNOWN_PROJECT. */
  named(name: string): Project {
    return projectNamed(this.list(), name)
  }

  /** The services meant by a request: of the project at its path, of projects they name, or of all. */
  async targets(body: TargetBody): Promise<readonly Target[]> {
    if (body.all === true) return this.list().map(project => ({ project, names: namesOf(project) }))
    const { services: words = [] } = body
    if (words.length === 0) {
      const project = await this.#at(body.path)
      return [{ project, names: namesOf(project) }]
    }
    const meant = new Map<Project, string[]>()
    for (const word of words) {
      const { project, names } = await this.#meant(word, body.path)
      meant.set(project, [...new Set([...(meant.get(project) ?? []), ...names])])
    }
    for (const [project, names] of meant) {
      const isBare = names.some(name => words.includes(name))
      requireServices(
        project.ref.name,
        namesOf(project),
        names,
        isBare ? this.list().map(({ ref }) => ref.name) : undefined,
      )
    }
    return [...meant].map(([project, names]) => ({ project, names }))
  }

  /**
   * What a word means, from the nearest: a folder where it looks like a path; `project:service`; a service of the project in `path`; a
   * project. A name of a service that is not there is left to be reported with others.
   */
  async #meant(word: string, path: string): Promise<Target> {
    const whole = (project: Project) => ({ project, names: namesOf(project) })
    if (isPath(word)) return whole(await this.#at(resolve(path, word)))
    const colon = word.indexOf(':')
    if (colon >= 0) {
      const name = word.slice(0, colon)
      return { project: (await this.#knownAs(name)) ?? this.named(name), names: [word.slice(colon + 1)] }
    }
    const here = await this.#at(path).catch((error: unknown) => LocaldError.from(error))
    if (!LocaldError.is(here) && here.service(word) !== undefined) return { project: here, names: [word] }
    const other = await this.#knownAs(word)
    if (other !== undefined) return whole(other)
    if (!LocaldError.is(here)) return { project: here, names: [word] }
    if (here.code !== 'CONFIG_NOT_FOUND') throw here
    throw unknownProject(
      this.list(),
      word,
      `unknown project '${word}', and no project in ${path} that could have a service '${word}'`,
    )
  }

  /** The project in a folder, also before its first `up`. */
  async #at(path: string): Promise<Project> {
    return projectAt(this.#byPath, path) ?? (await this.#described(path))
  }

  /** The project of a name, if one is known; one that this daemon has not seen yet is read from its folder. */
  async #knownAs(name: string): Promise<Project | undefined> {
    const running = this.list().find(({ ref }) => ref.name === name)
    if (running !== undefined) return running
    const known = this.#parts.registry.list().find(project => project.name === name)
    return known === undefined ? undefined : await this.#at(known.path)
  }

  /** Returns the folder of the nearest project at or above a folder that was ever started. */
  folderAbove(path: string): string | undefined {
    const known = new Map(this.#parts.registry.list().map(project => [project.path, project]))
    return projectAt(known, path)?.path
  }

  /** The services that a query names, as `targets` finds them. */
  async chosen({ path, service = [], all = false }: KeysQuery): Promise<readonly Service[]> {
    return (await this.targets({ path, services: [service].flat(), all })).flatMap(servicesOf)
  }

  /** The one service a request names. */
  async target(path: string, name: string): Promise<{ readonly project: Project; readonly service: Service }> {
    const [target] = await this.targets({ path, services: [name] })
    const [service, ...others] = target === undefined ? [] : servicesOf(target)
    if (target === undefined || service === undefined)
      throw new LocaldError('UNKNOWN_SERVICE', `unknown service '${name}'`)
    if (others.length === 0) return { project: target.project, service }
    throw new LocaldError('UNKNOWN_SERVICE', `'${name}' is a project with several services`, {
      hint: `Name one: ${[service, ...others].map(({ ref }) => ref.key).join(', ')}.`,
    })
  }

  /** All services, of one project or of all, without starting or loading anything. */
  services(path?: string): readonly Service[] {
    const projects = path === undefined ? this.list() : [projectAt(this.#byPath, path)]
    return projects.flatMap(project => (project === undefined ? [] : [...project.services.values()]))
  }

  /** The project in a folder that was not started yet: its services described, not running. Or the one that was moved here, which runs. */
  async #described(path: string): Promise<Project> {
    const loaded = await this.plan(path, [])
    const [moved] = this.predecessors(loaded.plan)
    if (moved !== undefined && moved.wanted.size > 0) return moved
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
