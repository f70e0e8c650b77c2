import { shortName } from '../../config/document/document.ts'
import type { Log, OpenFolder, ServicePlan } from '../../contract/plugin.ts'
import { LocaldError, messageOf } from '../../errors.ts'
import type { Events } from '../../events.ts'
import { isStillAt } from '../../lib/real-path.ts'
import type { Project } from '../../projects/project.ts'
import type { Service } from '../../services/service.ts'
import { FileWatcher } from '../watch/file-watcher.ts'
import { ServiceWatches } from '../watch/service-watches.ts'
import type { WatchProblem } from '../watch/watch-problems.ts'
import type { AppliedFiles } from './applied-files.ts'
import type { DeletedFolders } from './deleted-folders.ts'
import { changeOf, WatchRestarts } from './watch-restarts.ts'

/** What reloading needs. `reload` applies a project's changed configuration; its rejection is reported as a warning. */
export interface ReloadsInput {
  readonly events: Events
  readonly log: Log
  readonly applied: AppliedFiles
  readonly deleted: Pick<DeletedFolders, 'remember' | 'check' | 'whereIs'>
  /** How the platform watches folders. */
  readonly openFolder: () => OpenFolder | undefined
  readonly reload: (project: Project, why: string) => Promise<void>
}

interface Followed {
  readonly project: Project
  /**
   * The files of the present plan and of earlier ones: a file that was removed, and left the plan thereby, may come
   * back.
   */
  readonly files: ReadonlySet<string>
  readonly config: FileWatcher
  readonly sources: ServiceWatches
  configFailed: boolean
  /** Whether the system's limit of watches was reported already. */
  isShortOfWatches: boolean
}

/** Hashes of files are stored this long after a change, once for all services: ms. */
const saveMs = 1000
const changedWhileDown = 'files changed while the daemon was down'

/** Watches the files of projects that are up: their configuration, and the files of their services' `watch`. */
export class Reloads {
  readonly #input: ReloadsInput
  readonly #followed = new Map<string, Followed>()
  readonly #saves = new Map<string, NodeJS.Timeout>()
  readonly #restarts = new WatchRestarts()
  /** Projects whose changed configuration could not be applied. */
  readonly #unapplied = new WeakSet<Project>()

  constructor(input: ReloadsInput) {
    this.#input = input
  }

  /** Watches the files of the project's present plan. Resolves when changes are noticed from now on. */
  async follow(project: Project): Promise<void> {
    const { path } = project.ref
    this.#input.deleted.remember(path)
    const { files } = project.plan
    const services = project.plan.services.map(plan => withWatch(project, plan))
    const known = this.#followed.get(path)
    // Under another name or domain it is another project in the same folder.
    if (known?.project === project && files.every(file => known.files.has(file)) && !known.configFailed) {
      await known.sources.follow(services)
      return this.#saveSoon(project)
    }
    const followedFiles = new Set([...files, ...(known?.files ?? [])])
    await this.drop(project)
    const open = this.#input.openFolder()
    const config = new FileWatcher({
      ...{ root: path, open },
      paths: [...followedFiles],
      changed: changed => void this.#reload(project, changeOf(changed.map(file => shortName(file, path)))),
      failed: problem => {
        followed.configFailed = problem !== undefined
        if (problem === undefined || isKnownShortage(followed, problem)) return
        const lead = problem.isShared ? '' : 'configuration files are not watched: '
        this.#warn(project, `${lead}${problem.message}`, problem.hint)
      },
    })
    const sources = new ServiceWatches({
      ...{ root: path, open },
      changed: (name, changed) =>
        void this.#restarts.changed(project, name, changed).finally(() => this.#saveSoon(project)),
      failed: (name, problem) => this.#reportWatch(project, name, problem),
    })
    const followed: Followed = {
      project,
      files: followedFiles,
      config,
      sources,
      configFailed: false,
      isShortOfWatches: false,
    }
    this.#followed.set(path, followed)
    await Promise.all([config.armed, sources.follow(services)])
    this.#saveSoon(project)
  }

  /** Watches a project that an earlier daemon has watched, and applies the changes since. */
  async resume(project: Project): Promise<void> {
    const before = this.#input.applied.get(project.ref.path)
    this.#input.deleted.remember(project.ref.path, before?.folder)
    await this.follow(project)
    const known = this.#followed.get(project.ref.path)
    if (before === undefined || known === undefined) return
    const { signature } = known.config
    // Taken from the earlier daemon's plan: a changed configuration may name other files.
    const services = Object.entries(known.sources.signatures())
    if (signature !== undefined && signature !== before.configuration) await this.#reload(project, changedWhileDown)
    for (const [name, now] of services) {
      const then = before.services[name]
      if (then !== undefined && then !== now) void this.#restarts.resume(project, name)
    }
  }

  /** Stops watching a project that was stopped. */
  async forget(project: Project): Promise<void> {
    await this.drop(project)
    this.#input.applied.drop(project.ref.path)
  }

  /** Counts files again that were found to restart a service in a loop: a user has started these services. */
  forgive(services: Iterable<Service>): void {
    this.#restarts.forgive(services)
  }

  #saveSoon({ ref }: Project): void {
    if (this.#saves.has(ref.path)) return
    this.#saves.set(ref.path, setTimeout(() => this.#save(ref.path), saveMs).unref())
  }

  #save(path: string): void {
    clearTimeout(this.#saves.get(path))
    this.#saves.delete(path)
    const followed = this.#followed.get(path)
    const configuration = followed?.config.signature
    if (followed === undefined || configuration === undefined) return
    const folder = this.#input.deleted.remember(path)
    this.#input.applied.save(path, { configuration, services: followed.sources.signatures(), folder })
  }

  async drop(project: Project): Promise<void> {
    const known = this.#followed.get(project.ref.path)
    this.#followed.delete(project.ref.path)
    await Promise.all([known?.config.close(), known?.sources.close()])
  }

  async close(): Promise<void> {
    for (const path of this.#saves.keys()) this.#save(path)
    const all = [...this.#followed.values()]
    this.#followed.clear()
    await Promise.all(all.flatMap(({ config, sources }) => [config.close(), sources.close()]))
  }

  async #reload(project: Project, why: string): Promise<void> {
    try {
      await this.#input.reload(project, why)
      project.note('configuration', undefined)
      if (this.#unapplied.delete(project)) this.#report(project, 'applied the corrected configuration')
    } catch (error) {
      const isThere = isStillAt(project.ref.path)
      const { message, hint } = isThere
        ? {
            message: `could not apply the configuration change: ${messageOf(error)}`,
            hint: 'Run `locald config check` to see all errors.',
          }
        : describeMissing(project, this.#input.deleted.whereIs(project))
      this.#warn(project, message, hint)
      project.note('configuration', inOneLine(message))
      this.#unapplied.add(project)
      if (!isThere) this.#input.deleted.check(project)
    }
  }

  #reportWatch(project: Project, name: string, problem: WatchProblem | undefined): void {
    const service = project.service(name)
    const text = problem && `\`watch\`: ${problem.message}`
    service?.state.note('watch', text)
    const followed = this.#followed.get(project.ref.path)
    if (text === undefined || problem === undefined || followed === undefined) return
    if (isKnownShortage(followed, problem)) return
    service?.warn(text, problem.hint)
  }

  #report({ ref }: Project, text: string): void {
    const message = `${ref.name}: ${text}`
    this.#input.log.info(message)
    this.#input.events.emit({ event: 'notice', path: ref.path, message })
  }

  #warn({ ref }: Project, text: string, hint: string | undefined): void {
    const message = `${ref.name}: ${text}`
    this.#input.log.warn(message)
    this.#input.events.emit({ event: 'warning', path: ref.path, message, ...(hint === undefined ? {} : { hint }) })
  }
}

/** Returns a service's plan with the patterns that its type watches. */
function withWatch(project: Project, plan: ServicePlan): ServicePlan {
  const driver = project.driverOf(plan)
  if (LocaldError.is(driver) || driver.watch === undefined) return plan
  return { ...plan, common: { ...plan.common, watch: driver.watch(plan.options, plan.common) } }
}

/** Whether the system's limit was reported for this project already; marks it as reported. */
function isKnownShortage(followed: Followed, { isShared }: WatchProblem): boolean {
  const isKnown = isShared === true && followed.isShortOfWatches
  if (isShared) followed.isShortOfWatches = true
  return isKnown
}

/** Joins errors that are listed on lines into one sentence, for a reason. */
function inOneLine(message: string): string {
  const [first = '', ...more] = message.split('\n').map(line => line.trim())
  return more.length === 0 ? first : `${first}: ${more.join('; ')}`
}

/** Says where a project's folder is, by what its services see, and what to do. */
function describeMissing({ ref: { name, path } }: Project, found: string | undefined) {
  const where = found === undefined ? 'moved or deleted' : `moved to ${found}`
  const hint = `Run \`locald up\` in ${found ?? 'its new folder'}, or \`locald stop ${name}\`.`
  return { message: `the folder ${path} was ${where}`, hint }
}
