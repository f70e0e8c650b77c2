import { computed } from '@preact/signals'
import type { KnownProjectView } from '../../../../kernel/protocol.ts'
import { keys, listedKeys, projects, serviceOf } from './services.ts'

/** A project as the page lists it. */
export interface Group {
  readonly path: string
  readonly name: string
  /** Its git branch, where it is in a linked worktree. */
  readonly branch: string | undefined
  readonly project: KnownProjectView | undefined
  /** Keys of its services that are listed. */
  readonly services: readonly string[]
  /** How many are not. */
  readonly hidden: number
}

/** All projects: those with services first; worktrees stand below their main checkout. */
export const groups = computed<readonly Group[]>(() => {
  const byPath = Map.groupBy(keys.value, key => serviceOf(key).peek()?.path ?? '')
  const listed = new Set(listedKeys.value)
  const known = new Map(projects.value.map(project => [project.path, project]))
  const paths = [...new Set([...byPath.keys(), ...known.keys()])].filter(path => path !== '')
  const found = paths.map(path => groupOf(path, { all: byPath.get(path) ?? [], listed }, known.get(path)))
  return found.sort((a, b) => compare(a, b))
})

/** Projects that have services now. */
export const activeGroups = computed(() => groups.value.filter(isActive))

/** The name of the project of each service, where services of several are there: in a worktree, of its branch. */
const projectNames = computed<ReadonlyMap<string, string>>(() =>
  activeGroups.value.length < 2
    ? new Map()
    : new Map(activeGroups.value.flatMap(({ name, branch, services }) => services.map(key => [key, branch ?? name]))),
)

/** Returns which project a service is of, by its branch in a worktree; undefined where there is only one. */
export function projectNameOf(key: string): string | undefined {
  return projectNames.value.get(key)
}

/** Whether a project has services now, hidden or not. */
export function isActive({ services, hidden }: Group): boolean {
  return services.length + hidden > 0
}

interface Members {
  readonly all: readonly string[]
  readonly listed: ReadonlySet<string>
}

function groupOf(path: string, { all, listed }: Members, project: KnownProjectView | undefined): Group {
  const [first] = all
  const services = all.filter(key => listed.has(key))
  const name = project?.name ?? (first === undefined ? undefined : serviceOf(first).peek()?.project) ?? path
  const branch = project?.branch
  const suffix = `-${branch}`
  // The heading has the branch beside the name.
  const shown = branch !== undefined && name.endsWith(suffix) ? name.slice(0, -suffix.length) : name
  return { path, name: shown, branch, project, services, hidden: all.length - services.length }
}

function compare(a: Group, b: Group): number {
  const isEmpty = Number(!isActive(a)) - Number(!isActive(b))
  if (isEmpty !== 0) return isEmpty
  return (
    rootOf(a).localeCompare(rootOf(b), 'en', { numeric: true }) ||
    Number(a.branch !== undefined) - Number(b.branch !== undefined) ||
    a.name.localeCompare(b.name)
  )
}

/** Returns what the worktrees of one repository have in common: the path of the main checkout. */
function rootOf({ path, project }: Group): string {
  return project?.mainCheckout ?? path
}
