import type { LoadedPlan } from '../../projects/loaded-plan.ts'
import type { Project } from '../../projects/project.ts'
import type { Projects } from '../../projects/projects.ts'
import type { StartRequest } from '../start-request.ts'
import type { Needed } from './graph.ts'
import { findForeignNeeds } from './needs.ts'

/** Which services need those of other projects. */
export interface Needing extends Needed, Pick<StartRequest, 'shell'> {}

/**
 * Returns the requests that start what services need of other projects, in the order of their dependencies. Throws what
 * is wrong with that: `findForeignNeeds`. Each project has its folder, files and layers, and the shell of its last `up`;
 * one that had none, that of the first that needs it.
 * @param staysStopped whether what was stopped on purpose is left out
 */
export async function foreignStarts(
  needing: readonly Needing[],
  projects: Projects,
  staysStopped = false,
): Promise<readonly StartRequest[]> {
  const [first] = needing
  if (first === undefined) return []
  const { home } = projects
  const batches = await findForeignNeeds(needing, { projects, home, shell: first.shell })
  return batches.flatMap(({ loaded, names }): readonly StartRequest[] => {
    const known = projectIn(projects, loaded)
    const own = needing.find(one => one.loaded.plan.path === loaded.plan.path)
    const meant = names.filter(name => !(staysStopped && known?.isStoppedOnPurpose(name) === true))
    if (meant.length === 0) return []
    const shell = own?.shell ?? known?.upShell ?? first.shell
    const how = { isExact: true, restart: [], again: [], neededBy: first.loaded.plan.name }
    return [{ loaded, shell, names: meant, ...how }]
  })
}

/** Returns the services whose changed plan names services of other projects that the present one does not. */
export function withNewForeign({ plan: before }: Project, { plan }: LoadedPlan, names: readonly string[]): string[] {
  return names.filter(name => {
    const keysOf = (services: typeof plan.services) =>
      Object.keys(services.find(service => service.name === name)?.common.foreign ?? {})
    const known = keysOf(before.services)
    return keysOf(plan.services).some(key => !known.includes(key))
  })
}

/** Returns the known project that a plan is of. */
export function projectIn(projects: Pick<Projects, 'list'>, { plan }: LoadedPlan): Project | undefined {
  return projects.list().find(({ ref }) => ref.path === plan.path)
}

/** Whether a service of another project need not be started: it runs, is about to, or has done its work. */
export function isUnderWay(project: Project, name: string): boolean {
  const service = project.service(name)
  if (service === undefined || !project.wanted.has(name)) return false
  const { status } = service.state.now
  return status === 'exited' || (service.supervisor.active && status !== 'failed')
}
