import { messageOf } from './errors.ts'
import type { Events } from './events.ts'
import { FileWatch } from './file-watch.ts'
import type { Log } from './plugin.ts'
import type { Project } from './project.ts'
import { WatchedSources } from './watched.ts'

/** What reloading needs. `reload` takes a project's changed configuration over; its rejection is told as a warning. */
export interface ReloadsInput {
  readonly events: Events
  readonly log: Log
  readonly reload: (project: Project) => Promise<void>
}

interface Followed {
  readonly files: string
  readonly config: FileWatch
  readonly sources: WatchedSources
}

/** Watches the files of projects that are up: their configuration, and what their services' `watch` names. */
export class Reloads {
  readonly #input: ReloadsInput
  readonly #followed = new Map<string, Followed>()

  constructor(input: ReloadsInput) {
    this.#input = input
  }

  /** Watches what the project's present plan names. Resolves when changes are noticed from now on. */
  async follow(project: Project): Promise<void> {
    const { path } = project.ref
    const { files, services } = project.plan
    const known = this.#followed.get(path)
    if (known !== undefined && known.files === files.join('\0')) return known.sources.follow(services)
    await this.drop(project)
    const config = new FileWatch({
      paths: files,
      changed: () => void this.#reload(project),
      failed: error => this.#input.log.warn(`${path}: its files cannot be watched: ${messageOf(error)}`),
    })
    const sources = new WatchedSources({
      root: path,
      changed: (name, changed) => void this.#restart(project, name, changed),
      failed: (name, error) => project.service(name)?.warn(`its \`watch\` does not work: ${messageOf(error)}`),
    })
    this.#followed.set(path, { files: files.join('\0'), config, sources })
    await Promise.all([config.armed, sources.follow(services)])
  }

  async drop(project: Project): Promise<void> {
    const known = this.#followed.get(project.ref.path)
    this.#followed.delete(project.ref.path)
    await Promise.all([known?.config.close(), known?.sources.close()])
  }

  async close(): Promise<void> {
    const all = [...this.#followed.values()]
    this.#followed.clear()
    await Promise.all(all.flatMap(({ config, sources }) => [config.close(), sources.close()]))
  }

  async #reload(project: Project): Promise<void> {
    try {
      await this.#input.reload(project)
    } catch (error) {
      const message = `${project.ref.name}: the changed configuration was not taken over: ${messageOf(error)}`
      this.#input.log.warn(message)
      this.#input.events.emit({ event: 'warning', message, hint: '`locald config check` shows all that is wrong.' })
    }
  }

  async #restart(project: Project, name: string, files: readonly string[]): Promise<void> {
    const service = project.service(name)
    if (service === undefined || !project.wanted.has(name)) return
    const [first, ...more] = files
    const what = more.length === 0 ? `${first} changed` : `${first} and ${more.length} more changed`
    try {
      await project.queue.run(signal => project.again(name, what, signal))
    } catch (error) {
      service.warn(`it was not restarted after ${what}: ${messageOf(error)}`)
    }
  }
}
