import { existsSync } from 'node:fs'
import { LocaldError, messageOf } from '../../errors.ts'
import type { Project } from '../../projects/project.ts'
import type { Service } from '../../services/service.ts'
import { type LoopDecision, RestartLoop } from './restart-loop.ts'

/** What `watch` has done with a service since a user started it. */
interface Watching {
  readonly loop: RestartLoop
  /** Changed files for which a restart is due. */
  readonly due: Set<string>
}

/** Restarts services whose watched files have changed, unless they restart themselves in a loop. */
export class WatchRestarts {
  readonly #watching = new WeakMap<Service, Watching>()

  /** Counts files again that were found to restart a service in a loop: a user has started these services. */
  forgive(services: Iterable<Service>): void {
    for (const service of services) {
      this.#watching.delete(service)
      service.state.note('loop', undefined)
    }
  }

  /** Handles changed files of a service. Never rejects. */
  async changed(project: Project, name: string, files: readonly string[]): Promise<void> {
    const service = project.service(name)
    // One that is stopped as it was not used gets the changes when it is started.
    if (service === undefined || !project.wanted.has(name) || isAsleep(service)) return
    // It could not start in a removed folder; its files count as changed when they are back.
    const plan = project.planOf(name)
    if (plan !== undefined && !existsSync(project.outline(service, plan).dir)) return
    if (await this.#delegate(project, service, files)) return
    const { loop, due } = this.#watchingOf(service)
    const decision = loop.decide(files, service.clock.sinceMs)
    if (decision.kind === 'loop') return reportLoop(service, decision)
    if (decision.kind === 'ignore') return
    const isDue = due.size > 0
    for (const file of decision.files) due.add(file)
    // One restart covers all changes that come before it begins.
    if (isDue) return
    const isRestarted = await this.restart(project, name, () => {
      const what = changeOf([...due])
      due.clear()
      return what
    })
    if (!isRestarted) due.clear()
  }

  /** Handles changes that came while no daemon ran, of files that are not known. Never rejects. */
  async resume(project: Project, name: string): Promise<void> {
    const service = project.service(name)
    if (service !== undefined && (await this.#delegate(project, service, []))) return
    await this.restart(project, name, () => 'files changed while the daemon was down')
  }

  /**
   * Leaves changes to a service whose type handles them, once it has started. Returns false for other types, and where
   * it does not run.
   */
  async #delegate(project: Project, service: Service, files: readonly string[]): Promise<boolean> {
    const { supervisor, state } = service
    const plan = project.planOf(service.ref.name)
    const driver = plan && project.driverOf(plan)
    if (driver === undefined || LocaldError.is(driver) || driver.watch === undefined) return false
    await state.until(() => supervisor.instance !== undefined || !supervisor.active)
    const { instance } = supervisor
    instance?.changed?.(files)
    return instance?.changed !== undefined
  }

  /** Restarts a service in its turn, and reads the cause from `what` then. Returns whether it could. Never rejects. */
  async restart(project: Project, name: string, what: () => string): Promise<boolean> {
    let why = 'changed files'
    try {
      await project.queue.run(signal => {
        why = what()
        const isDue = project.wanted.has(name) && !isAsleep(project.service(name))
        return isDue ? project.runs.restart(name, why, signal) : Promise.resolve()
      })
      return true
    } catch (error) {
      project.service(name)?.warn(`${name} was not restarted after ${why}: ${messageOf(error)}`)
      return false
    }
  }

  #watchingOf(service: Service): Watching {
    const known = this.#watching.get(service)
    if (known !== undefined) return known
    const fresh = { loop: new RestartLoop(), due: new Set<string>() }
    this.#watching.set(service, fresh)
    return fresh
  }
}

function isAsleep(service: Service | undefined): boolean {
  return service !== undefined && service.state.now.asleepMs !== null
}

/** Returns "a.js changed", "a.js and 2 more changed". */
export function changeOf([first, ...more]: readonly string[]): string {
  return more.length === 0 ? `${first} changed` : `${first} and ${more.length} more changed`
}

function reportLoop(service: Service, { files, rounds }: LoopDecision & { readonly kind: 'loop' }): void {
  const { name } = service.ref
  const shown = files.slice(0, 3).join(', ') + (files.length > 3 ? ` and ${files.length - 3} more` : '')
  const cause = files.length === 0 ? 'watched files' : shown
  const what = files.length === 0 ? 'its `watch` is suspended' : 'those changes no longer restart it'
  const text = `restart loop: ${cause} changed right after each of its last ${rounds} starts; ${what}`
  service.state.note('loop', text)
  const exclude = files[0] === undefined ? 'what it writes' : `\`!${files[0]}\``
  service.warn(text, `Add ${exclude} to the end of its \`watch\`; then run \`locald restart ${name}\` to resume it.`)
}
