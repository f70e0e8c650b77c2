import type { Log } from '../contract/plugin.ts'
import { messageOf } from '../errors.ts'
import type { HookRuns } from '../plugins/hooks.ts'
import { namesOf, type Target } from '../projects/selectors.ts'
import type { Records } from '../services/records/records.ts'
import type { Reloads } from './reload.ts'

/** What stopping services needs. */
export interface StopParts {
  readonly records: Records
  readonly hooks: HookRuns
  readonly reloads: Reloads
  readonly log: Log
}

/**
 * Stops services until they are started again. With the last of a project, its files are no longer watched, and plugins
 * learn that it is down.
 */
export async function stopTarget(
  { project, names }: Target,
  { records, hooks, reloads, log }: StopParts,
): Promise<void> {
  await project.queue.run(async () => {
    project.setWanted([...project.wanted].filter(name => !names.includes(name)))
    await project.runs.stop(names)
    if (project.wanted.size > 0) return
    records.dropProject(project.ref.path)
    await reloads.forget(project)
    await hooks.down(project.ref).catch(error => log.warn(messageOf(error)))
  })
}

/** Narrows targets to the services that an `up` has started, once it has started all or has given up. */
export function selectStartedBy(id: string, targets: readonly Target[]): Promise<readonly Target[]> {
  const chosen = targets.map(async ({ project }) => {
    await project.queue.run(async () => {})
    return { project, names: namesOf(project).filter(name => project.service(name)?.begunBy === id) }
  })
  return Promise.all(chosen)
}
