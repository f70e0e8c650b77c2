import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Check, CheckResult, Log, ReadDisk } from '../contract/plugin.ts'
import { LocaldError, messageOf } from '../errors.ts'
import type { ServiceView } from '../events.ts'
import { isStillAt } from '../lib/real-path.ts'
import type { Logs } from '../logs/service-log.ts'
import type { Project } from '../projects/project.ts'
import type { Projects } from '../projects/projects.ts'
import { isPath, projectAt, projectNamed } from '../projects/selectors.ts'
import type { StartingProjects } from '../projects/starting-projects.ts'
import type { CleanAnswer, CleanBody, KnownProjectView, PinBody } from '../protocol.ts'
import { worktreeBranch, worktreeIn } from '../registry/git-worktree.ts'
import type { KnownProject } from '../registry/known-project.ts'
import type { Registry } from '../registry/registry.ts'
import { ownEnvironment } from '../services/environment/shell.ts'
import { findDeletedData, type RemovableData } from './disk/deleted-data.ts'
import { findUnusedLogs, removeFiles } from './disk/unused-files.ts'
import type { Operations } from './operations.ts'

/** What known projects are read from, and pinned ones started with. */
export interface KnownProjectsInput {
  readonly registry: Registry
  readonly projects: Projects
  readonly operations: Pick<Operations, 'up'>
  readonly starting: StartingProjects
  readonly logs: Pick<Logs, 'forget'>
  readonly dataFolder: string
  /** What lists the plugins' things on disk. */
  readonly disks: () => readonly ReadDisk[]
  readonly log: Log
}

/** Lists, pins and forgets the projects that were ever started. Pinned ones start with the daemon. */
export class KnownProjects {
  readonly #input: KnownProjectsInput
  /** Why a pinned project did not start, by its folder. */
  readonly #problems = new Map<string, string>()

  constructor(input: KnownProjectsInput) {
    this.#input = input
  }

  /** Lists them by name. */
  list(): readonly KnownProjectView[] {
    const { registry } = this.#input
    return registry
      .list()
      .map(project => this.#view(project))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  /**
   * Pins or unpins projects by name or folder (`./shop`), or the one that `path` is in; one in a folder becomes known.
   * Throws UNKNOWN_PROJECT, and configuration errors of a project that was not known.
   */
  async pin({ path, projects, pinned }: PinBody): Promise<readonly KnownProjectView[]> {
    const { registry } = this.#input
    const known = registry.list().map(ref => ({ ref }))
    const named = async (name: string) =>
      isPath(name) ? await this.#at(resolve(path, name)) : projectNamed(known, name).ref.path
    const paths = projects.length === 0 ? [await this.#at(path)] : await Promise.all(projects.map(named))
    for (const each of paths) registry.pin(each, pinned)
    return this.list().filter(view => paths.includes(view.path))
  }

  /**
   * Forgets projects whose folder does not exist, unless their services still run or they are pinned, and removes the
   * logs of all projects that are not known. A project whose folder was deleted stays known until its data is removed
   * with it, as only the registry knows whose data that is. Throws what prevents the removal of data: its project then
   * stays known.
   */
  async clean({ dryRun = false, data: chosen = [] }: CleanBody): Promise<CleanAnswer> {
    const { logs } = this.#input
    const { found, ...unused } = await this.#findUnused(chosen)
    if (dryRun) return unused
    const { forgotten, removed } = unused
    const isOther = (name: string) => this.#namesWithout(forgotten).has(name)
    for (const each of found) if (isChosen(each, chosen) && !isOther(each.project)) await each.remove()
    await this.#forget(forgotten)
    for (const { project, path } of removed) {
      if (this.#isKnown(project)) continue
      logs.forget(project)
      await removeFiles(path)
    }
    return unused
  }

  /** @param chosen the data that may be removed */
  async #findUnused(chosen: readonly string[]): Promise<CleanAnswer & { readonly found: readonly RemovableData[] }> {
    const { dataFolder, registry, disks } = this.#input
    const missing = this.#missing(() => true)
    // The same name may be that of another project: the folder may have been moved.
    const others = this.#namesWithout(missing.forgotten)
    const owners = missing.forgotten.flatMap(({ path }) => registry.get(path) ?? [])
    const found = await findDeletedData(
      dataFolder,
      owners.filter(({ name }) => !others.has(name)),
      disks(),
    )
    const data = found.map(({ remove: _, ...each }) => ({ ...each, removed: isChosen(each, chosen) }))
    const staying = new Set(data.flatMap(({ project, removed }) => (removed ? [] : project)))
    const forgotten = missing.forgotten.filter(({ name }) => !staying.has(name))
    const kept = [...missing.kept, ...missing.forgotten.filter(view => !forgotten.includes(view))]
    return { found, forgotten, kept, data, removed: await findUnusedLogs(dataFolder, this.#namesWithout(forgotten)) }
  }

  /** Forgets those of the given folders that do not exist, unless their services still run or they are pinned. */
  async forget(paths: readonly string[]): Promise<CleanAnswer> {
    const found = this.#missing(path => paths.includes(path))
    await this.#forget(found.forgotten)
    return { ...found, data: [], removed: [] }
  }

  /**
   * Returns the pinned projects to start, except those that an earlier daemon left running. Requests for their names
   * are held.
   */
  expectPinned(): readonly KnownProject[] {
    const { registry, starting } = this.#input
    const pinned = registry.list().filter(project => project.pinned && !this.#isWanted(project.path))
    for (const { domain } of pinned) starting.expect(domain)
    return pinned
  }

  /** Starts projects at once. Never rejects. */
  async start(projects: readonly KnownProject[]): Promise<void> {
    await Promise.all(projects.map(project => this.#start(project)))
  }

  /** The check of `doctor`. */
  readonly check: Check = {
    id: 'pinned-projects',
    title: 'Projects that start with the daemon',
    run: async (): Promise<CheckResult> => {
      const severity = 'important'
      const pinned = this.list().filter(view => view.pinned)
      const failed = pinned.filter(view => view.problem !== null)
      const [first] = failed
      if (first === undefined) return { status: 'pass', severity, summary: `${pinned.length} pinned` }
      const summary = failed.map(({ name, problem }) => `${name} was not started: ${problem}`).join('; ')
      return { status: 'warn', severity, summary, fix: `Run \`locald up\` in ${first.path} to see the error.` }
    },
  }

  async #start({ name, path, domain }: KnownProject): Promise<void> {
    const { operations, starting, log } = this.#input
    try {
      if (!existsSync(path)) {
        throw new LocaldError(
          'CONFIG_NOT_FOUND',
          `the folder ${path} does not exist (run \`locald registry unpin ${name}\` and \`locald registry clean\` to forget the project)`,
        )
      }
      await operations.up({ path, env: ownEnvironment() }, event => {
        // Once the first service shows that it waits, all services are known.
        if (event.event === 'service') starting.release(domain)
        if (event.event !== 'done' || event.ok) return
        const failing = event.services.filter(({ reason }) => reason !== null)
        log.error(
          `${name} is not healthy: ${failing.map(summarize).join('; ')} (run \`locald why ${name}\` for details)`,
        )
      })
    } catch (error) {
      const [problem = ''] = messageOf(error).split('\n')
      this.#problems.set(path, problem)
      log.error(`${name} was not started with the daemon: ${problem}`)
    } finally {
      starting.release(domain)
    }
  }

  async #at(path: string): Promise<string> {
    const { registry, projects } = this.#input
    const known = projectAt(registry, path)
    if (known !== undefined) return known.path
    const loaded = await projects.plan(path, [])
    return (await projects.identify(loaded)).ref.path
  }

  /** Returns the projects whose folder does not exist. */
  #missing(isMeant: (path: string) => boolean): Pick<CleanAnswer, 'forgotten' | 'kept'> {
    const missing = this.list().filter(({ exists, path }) => !exists && isMeant(path))
    const kept = missing.filter(({ path, pinned }) => pinned || this.#runs(path))
    return { forgotten: missing.filter(view => !kept.includes(view)), kept }
  }

  async #forget(views: readonly KnownProjectView[]): Promise<void> {
    for (const { path } of views) {
      // It may be back meanwhile.
      if (isStillAt(path)) continue
      this.#input.registry.forget(path)
      await this.#input.projects.drop(path)
    }
  }

  /** Returns the names of the known projects except these. */
  #namesWithout(views: readonly KnownProjectView[]): ReadonlySet<string> {
    const paths = new Set(views.map(({ path }) => path))
    return new Set(this.#known().flatMap(({ path, name }) => (paths.has(path) ? [] : name)))
  }

  /** Whether a project has the name by now. */
  #isKnown(name: string): boolean {
    return this.#known().some(project => project.name === name)
  }

  /** Returns the projects of the registry, and those that are loaded. */
  #known(): readonly { readonly name: string; readonly path: string }[] {
    const { registry, projects } = this.#input
    return [...registry.list(), ...projects.list().map(({ ref }) => ref)]
  }

  #isWanted(path: string): boolean {
    return (this.#project(path)?.wanted.size ?? 0) > 0
  }

  #runs(path: string): boolean {
    const services = [...(this.#project(path)?.services.values() ?? [])]
    return services.some(({ supervisor, state }) => supervisor.active && state.now.status !== 'failed')
  }

  #project(path: string): Project | undefined {
    return this.#input.projects.list().find(({ ref }) => ref.path === path)
  }

  #view({ name, path, domain, pinned, usedAt }: KnownProject): KnownProjectView {
    const problem = !pinned || this.#isWanted(path) ? null : (this.#problems.get(path) ?? null)
    return { name, path, domain, pinned, exists: isStillAt(path), usedAt, problem, ...worktreeOf(path) }
  }
}

function isChosen({ path, name }: Pick<RemovableData, 'path' | 'name'>, chosen: readonly string[]): boolean {
  return chosen.includes(path ?? name ?? '')
}

/** Describes a service's state and its cause, without its output, which may contain secrets. */
function summarize({ name, status, health, reason }: ServiceView): string {
  const how = /exited with code \d+|terminated by SIG\w+|not ready within [\d.]+ s/.exec(reason ?? '')?.[0]
  return `${name} ${status === 'failed' ? status : `is ${status}`}${health === null ? '' : `, ${health}`}${how === undefined ? '' : ` (${how})`}`
}

/** Returns which linked git worktree a project is in. */
function worktreeOf(path: string): Pick<KnownProjectView, 'branch' | 'mainCheckout'> {
  const branch = worktreeBranch(path)
  if (branch === undefined) return {}
  const { mainCheckout } = worktreeIn(path) ?? {}
  return { branch, ...(mainCheckout === undefined ? {} : { mainCheckout }) }
}
