import type { Control } from '../contract/plugin.ts'
import { messageOf } from '../errors.ts'
import type { Service } from '../services/service.ts'
import type { Project } from './project.ts'
import type { Projects } from './projects.ts'

/** Stops and starts services for plugins that work on their data. */
export class ServiceControl implements Control {
  readonly #projects: Projects

  constructor(projects: Projects) {
    this.#projects = projects
  }

  async paused<T>(key: string, work: () => Promise<T>): Promise<T> {
    const found = this.#find(key)
    if (found === undefined) return work()
    const { project, service } = found
    const { name } = service.ref
    return project.queue.run(async signal => {
      // One that failed is started, too: the work may have mended it.
      const isWanted = project.wanted.has(name)
      if (service.supervisor.active) await project.stopServices([name], isWanted ? 'restarting' : 'stopping')
      try {
        return await work()
      } finally {
        if (isWanted) await startAgain(project, service, signal)
      }
    })
  }

  async stop(key: string): Promise<void> {
    const found = this.#find(key)
    if (found === undefined) return
    const { project, service } = found
    const { name } = service.ref
    await project.queue.run(async () => {
      project.want([...project.wanted].filter(other => other !== name))
      await project.stopServices([name])
    })
  }

  #find(key: string): { readonly project: Project; readonly service: Service } | undefined {
    for (const project of this.#projects.list()) {
      for (const service of project.services.values()) if (service.ref.key === key) return { project, service }
    }
    return undefined
  }
}

/** What keeps it from being started is told as its reason: else it would show for ever that it restarts. */
async function startAgain(project: Project, { ref, state }: Service, signal: AbortSignal): Promise<void> {
  try {
    await project.begin(await project.prepareOnly([ref.name]), signal, { again: [ref.name] })
  } catch (error) {
    state.set({ status: 'failed', health: null, reason: messageOf(error), pid: null })
    throw error
  }
}
