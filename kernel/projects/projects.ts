import { findProject, type LoadedProject, loadProject, type Places, type TypeSource } from '../config/load.ts'
import { inferFolder } from '../config/sources/inference.ts'
import { translateFiles } from '../config/sources/translation.ts'
import { Trust } from '../config/trust/trust.ts'
import type { ProjectPlan, ProjectRef, Translation } from '../contract/plugin.ts'
import { isStillAt, realPath } from '../lib/real-path.ts'
import type { Contributions } from '../plugins/contributions.ts'
import type { InferredAnswer, InferredQuery, KeysQuery, TargetBody, TranslationBody } from '../protocol.ts'
import { worktreeIn } from '../registry/git-worktree.ts'
import type { Registry } from '../registry/registry.ts'
import type { Shell } from '../services/environment/shell.ts'
import { recordId } from '../services/records/record.ts'
import type { Service } from '../services/service.ts'
import { findOnBranch } from './branch-projects.ts'
import { ForeignFolders } from './foreign-folders.ts'
import { ForeignServices } from './foreign-services.ts'
import type { LoadCaller, LoadedPlan } from './loaded-plan.ts'
import { Project, type ProjectParts } from './project.ts'
import { namesOf, projectAt, projectNamed, requireServices, servicesOf, type Target } from './selectors.ts'
import { findTargets, oneService } from './targets.ts'
import { type TypeParts, typeSource } from './type-source.ts'

/** The parts of the kernel that projects need. */
export interface ProjectsParts extends Omit<ProjectParts, 'foreign'>, TypeParts {
  readonly registry: Registry
  readonly places: Places
}

/**
 * All known projects, by folder. Reads their configuration, and finds the targets of requests. Starts and stops
 * nothing.
 */
export class Projects {
  readonly #byPath = new Map<string, Project>()
  /** The folders of the projects that others name. */
  readonly folders: ForeignFolders
  /** The services of projects, as those of others need them. */
  readonly foreign: ForeignServices<Project>
  readonly #parts: ProjectsParts

  constructor(parts: ProjectsParts) {
    this.#parts = parts
    this.folders = new ForeignFolders(() => parts.registry.list())
    this.foreign = new ForeignServices({
      folders: this.folders,
      list: () => this.#byPath.values(),
      open: (folder, service) => this.#open(folder, service),
    })
  }

  list(): readonly Project[] {
    return [...this.#byPath.values()]
  }

  /** What plugins registered, in the form that the configuration reads. */
  get types(): TypeSource {
    return typeSource(this.#parts)
  }

  /** The user's home folder. */
  get home(): string {
    return this.#parts.places.home
  }

  /** What plugins registered. */
  get contributions(): Contributions {
    return this.#parts.contributions
  }

  /** Loads the configuration of the project that a folder is in. */
  async load(path: string, { shell, isStart = false, ...options }: LoadCaller = {}): Promise<LoadedProject> {
    const { places, ports } = this.#parts
    const trust = new Trust({ shell, dataFolder: places.data })
    const portOccupant = (port: number, root: string) => ports.occupant(port, this.#byPath.get(root)?.ref.name)
    const reader = { trust, shell, ...(isStart ? { portOccupant } : {}) }
    const { root, ...found } =
      options.draft === undefined ? await findProject(path, this.types, reader) : { root: await realPath(path) }
    return loadProject(root, this.types, places, { ...reader, ...options, ...found })
  }

  /** Returns what an `up` of a folder without a `locald.toml` would run. Throws CONFIG_NOT_FOUND, with why. */
  async infer({ path, file: only }: InferredQuery): Promise<InferredAnswer> {
    const { data, home } = this.#parts.places
    return inferFolder(path, this.types, { trust: new Trust({ dataFolder: data }), home, only })
  }

  /** Translates files of another format to what a `locald.toml` of a folder would have. */
  async translate({ path, env, format, files }: TranslationBody): Promise<Translation> {
    const trust = new Trust({ shell: env, dataFolder: this.#parts.places.data })
    return translateFiles({ trust, root: await realPath(path), shell: env }, this.types, { format, files })
  }

  /**
   * Loads and checks a project's plan, and lets plugins rewrite it: all errors of the user's come from here, before
   * anything is changed.
   */
  async plan(path: string, names: readonly string[], caller?: LoadCaller): Promise<LoadedPlan> {
    const loaded = await this.load(path, caller)
    const plan = await this.#parts.hooks.project(loaded.plan)
    requireServices(
      plan.name,
      plan.services.map(service => service.name),
      names,
    )
    const onBranch = this.#onBranch(plan, caller)
    const chosen = onBranch === undefined ? plan : { ...plan, onBranch }
    return { plan: chosen, locate: loaded.locate, envFiles: loaded.envFiles, inferred: loaded.inferred }
  }

  /** Chooses projects on the same branch; what runs keeps what was chosen at its `up`. */
  #onBranch(plan: ProjectPlan, { isUp = false }: LoadCaller = {}): ProjectPlan['onBranch'] {
    const present = this.#byPath.get(plan.path)
    if (!isUp && present !== undefined && present.wanted.size > 0) return present.plan.onBranch
    const { registry } = this.#parts
    const isMeant = (path: string) =>
      (this.#byPath.get(path)?.wanted.size ?? 0) > 0 || registry.get(path)?.pinned === true
    return findOnBranch(plan, { known: registry.list(), isMeant })
  }

  /**
   * Returns the project object of a plan. A changed name or domain makes a new project: the services of the old one are
   * stopped.
   */
  async identify(loaded: LoadedPlan): Promise<Project> {
    const { plan } = loaded
    const { name, path, domain } = plan
    const ref = this.#parts.registry.identify(
      { name, path, domain },
      plan.services.map(service => service.name),
    )
    const known = this.#byPath.get(path)
    if (known !== undefined && known.ref.name === ref.name && known.ref.domain === ref.domain) return known
    await known?.remove()
    // A reload and an `up` may find the new name at the same time: one of them makes the project.
    if (this.#byPath.get(path) !== known) return await this.identify(loaded)
    return this.add(ref, plan, known?.upShell)
  }

  /**
   * Returns projects whose folder no longer exists and whose name or domain the given project has: most often it was
   * moved, and must stop before it is started in its new folder.
   */
  predecessors({ name, domain, path }: ProjectRef): readonly Project[] {
    return this.list().filter(
      ({ ref }) => ref.path !== path && (ref.name === name || ref.domain === domain) && !isStillAt(ref.path),
    )
  }

  /** Returns the name and the old folder of the project whose folder was moved to a path; undefined for a known one. */
  movedFrom(path: string): Pick<ProjectRef, 'name' | 'path'> | undefined {
    return this.#parts.registry.movedFrom(path)
  }

  /** Adds a project. */
  add({ name, path, domain }: ProjectRef, plan: ProjectPlan, upShell: Shell | undefined): Project {
    const worktree = worktreeIn(path)
    const ref = { name, path, domain, ...(worktree === undefined ? {} : { worktree }) }
    const project = new Project(ref, plan, upShell, { ...this.#parts, foreign: this.foreign })
    this.#byPath.set(path, project)
    return project
  }

  /** Forgets the project in a folder, and stops its services. */
  async drop(path: string): Promise<void> {
    const project = this.#byPath.get(path)
    this.#byPath.delete(path)
    await project?.queue.run(() => project.remove())
  }

  /** Returns the key of a record's service, or the name of its project. */
  describeRecord(id: string): string | undefined {
    for (const { ref, services } of this.list()) {
      if (recordId(ref.path) === id) return ref.name
      const service = [...services.values()].find(({ ref: { name } }) => recordId(ref.path, name) === id)
      if (service !== undefined) return service.ref.key
    }
    return undefined
  }

  /** Returns the project in a folder or above it, without loading one. */
  loadedAt(path: string): Project | undefined {
    return projectAt(this.#byPath, path)
  }

  /** Returns the known project of a name. Throws UNKNOWN_PROJECT. */
  getByName(name: string): Project {
    return projectNamed(this.list(), name)
  }

  /** Returns the services that a request targets: of the project at its path, of projects that they name, or of all. */
  async targets(body: TargetBody): Promise<readonly Target[]> {
    return await findTargets(body, {
      list: () => this.list(),
      at: path => this.#at(path),
      named: name => this.#findByName(name),
    })
  }

  /** Returns the project in a folder, also before its first `up`. */
  async #at(path: string): Promise<Project> {
    return projectAt(this.#byPath, path) ?? (await this.#loadIdle(path))
  }

  /**
   * Returns the project of a name, if one is known; reads it from its folder when this daemon has not loaded it yet.
   */
  async #findByName(name: string): Promise<Project | undefined> {
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

  /** Returns the services that a query names, as `targets` finds them. */
  async select({ path, service = [], all = false }: KeysQuery): Promise<readonly Service[]> {
    return (await this.targets({ path, services: [service].flat(), all })).flatMap(servicesOf)
  }

  /** Returns the one service that a request names. Throws UNKNOWN_SERVICE for none, and for several. */
  async target(path: string, name: string): Promise<{ readonly project: Project; readonly service: Service }> {
    return oneService(await this.targets({ path, services: [name] }), name)
  }

  /** Returns the project at or above a folder. */
  async project(path: string): Promise<Target> {
    const project = await this.#at(path)
    return { project, names: namesOf(project) }
  }

  /** Returns the services of one project, also of one that was moved to a folder, or of all, without loading anything. */
  services(path?: string): readonly Service[] {
    const moved = (folder: string) => this.#byPath.get(this.movedFrom(folder)?.path ?? '')
    const at = { get: (folder: string) => this.#byPath.get(folder) ?? moved(folder) }
    const projects = path === undefined ? this.list() : [projectAt(at, path)]
    return projects.flatMap(project => (project === undefined ? [] : [...project.services.values()]))
  }

  /** Reads the project in a folder where a service of it is not known. One that runs is reloaded when it changes. */
  async #open(folder: string, service: string): Promise<void> {
    const known = this.#byPath.get(folder)
    if (known !== undefined && (known.wanted.size > 0 || known.service(service) !== undefined)) return
    await this.#loadIdle(folder).catch(() => {})
  }

  /**
   * Returns the project in a folder before its first start, with idle services; or the running one that was moved here.
   */
  async #loadIdle(path: string): Promise<Project> {
    const loaded = await this.plan(path, [])
    const before = this.movedFrom(loaded.plan.path)
    const [moved] = before === undefined ? this.predecessors(loaded.plan) : [this.#byPath.get(before.path)]
    if (moved !== undefined && moved.wanted.size > 0) return moved
    const project = await this.identify(loaded)
    await project.adoptPlan(loaded, project.upShell)
    return project
  }
}
