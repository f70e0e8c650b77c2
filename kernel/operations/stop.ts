import type { Log } from '../contract/plugin.ts'
import { messageOf } from '../errors.ts'
import type { HookRuns } from '../plugins/hooks.ts'
import type { Project } from '../projects/project.ts'
import { namesOf, servicesOf, type Target } from '../projects/selectors.ts'
import type { Records } from '../services/records/records.ts'
import type { Leases } from './leases/leases.ts'
import type { Reloads } from './reload/reload.ts'

/** What stopping services needs. */
export interface StopParts {
  readonly records: Records
  readonly hooks: HookRuns
  readonly reloads: Reloads
  readonly leases: Pick<Leases, 'grant' | 'inherit' | 'forget'>
  readonly log: Log
}

/** Stops services until they are started again. */
export async function stopTarget({ project, names }: Target, parts: StopParts): Promise<void> {
  await project.queue.run(() => stopInTurn(project, names, null, parts))
}

/** As `stopTarget`, of those that `choose` returns in the project's turn: perhaps none. Their reason is `why`. */
export async function stopChosen(
  project: Project,
  choose: () => readonly string[],
  why: string,
  parts: StopParts,
): Promise<void> {
  await project.queue.run(async () => {
    const names = choose()
    if (names.length > 0) await stopInTurn(project, names, why, parts)
  })
}

/** With the last service of a project, its files are no longer watched, and plugins learn that it is down. */
async function stopInTurn(
  project: Project,
  names: readonly string[],
  why: string | null,
  { records, hooks, reloads, leases, log }: StopParts,
): Promise<void> {
  project.setWanted([...project.wanted].filter(name => !names.includes(name)))
  leases.forget(project.ref.path, names)
  for (const service of servicesOf({ project, names })) {
    service.state.set({ asleepMs: null })
    service.isKept = false
  }
  await project.runs.stop(names, 'stopping', why)
  if (project.wanted.size > 0) return
  records.dropProject(project.ref.path)
  await reloads.forget(project)
  await hooks.down(project.ref).catch(error => log.warn(messageOf(error)))
}

/** Narrows targets to the services that an `up` has started, once it has started all or has given up. */
export function selectStartedBy(id: string, targets: readonly Target[]): Promise<readonly Target[]> {
  const chosen = targets.map(async ({ project }) => {
    await project.queue.run(async () => {})
    return { project, names: namesOf(project).filter(name => project.service(name)?.begunBy === id) }
  })
  return Promise.all(chosen)
}
