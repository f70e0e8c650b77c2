import { resolve } from 'node:path'
import { foreignMentions } from '../config/checks/foreign-dependencies.ts'
import type { BranchProject, GitWorktree, ProjectPlan } from '../contract/plugin.ts'
import { isStillAt, realPathIfAny } from '../lib/real-path.ts'
import { branchIn, worktreeIn } from '../registry/git-worktree.ts'
import type { KnownProject } from '../registry/known-project.ts'
import { findBesideMain, type NamingPlan } from './foreign-folders.ts'

/** A project that was started before. */
type Known = Pick<KnownProject, 'name' | 'path' | 'wanted'>

/** Which projects there are. */
export interface BranchSource {
  readonly known: readonly Known[]
  /** Whether services of the project in a folder are meant to run. */
  readonly isMeant: (path: string) => boolean
}

/**
 * Finds the projects in git worktrees on the same branch as a project in another one: those that are meant to run stand
 * for the ones of their main checkouts. A folder of `[projects]` that exists as it is written is always meant itself.
 */
export function findOnBranch(
  plan: NamingPlan,
  { known, isMeant }: BranchSource,
): Readonly<Record<string, BranchProject>> | undefined {
  const own = worktreeIn(plan.path)
  const branch = branchOf(own)
  if (branch === undefined) return undefined
  const existing = known.filter(({ path }) => path !== plan.path && isStillAt(path))
  const found = existing
    .flatMap(project => {
      const worktree = worktreeIn(project.path)
      const main = worktree?.mainCheckout
      return main === undefined || branchOf(worktree) !== branch ? [] : [{ project, main }]
    })
    .toSorted((a, b) => (a.project.name < b.project.name ? 1 : -1))
  const entries = found.flatMap(({ project, main }) =>
    namesFor(plan, own?.mainCheckout, { project, main, existing }).map(name => {
      const { name: registered, path } = project
      return [name, { name: registered, path, isUsed: isMeant(path) }] as const
    }),
  )
  return entries.length === 0 ? undefined : Object.fromEntries(entries)
}

/** Says which project on the same branch a service uses, or does not; undefined where it names none that has one. */
export function describeOnBranch(plan: ProjectPlan, service: string): string | undefined {
  const own = plan.services.find(({ name }) => name === service)
  const { onBranch = {} } = plan
  const keys = own === undefined ? [] : foreignMentions(plan, own).map(({ key }) => key)
  const texts = [...new Set(keys)].flatMap(key => {
    const [project = '', name = ''] = key.split(':')
    const found = Object.hasOwn(onBranch, project) ? onBranch[project] : undefined
    if (found === undefined) return []
    const used = `${found.name}:${name}`
    return found.isUsed
      ? `${key} is ${used}, on the same branch`
      : `${used}, on the same branch, did not run and is not used for ${key}`
  })
  return texts.length === 0 ? undefined : texts.join('; ')
}

/** Returns the branch of a worktree that its repository knows. */
function branchOf(worktree: GitWorktree | undefined): string | undefined {
  return worktree?.mainCheckout === undefined ? undefined : branchIn(worktree.gitDir)
}

interface Candidate {
  readonly project: Known
  /** The folder in the main checkout. */
  readonly main: string
  readonly existing: readonly Known[]
}

/** Returns the names that a plan has for the project in a folder of a main checkout. */
function namesFor(
  { path, projects = {} }: NamingPlan,
  ownMain: string | undefined,
  { project, main, existing }: Candidate,
): readonly string[] {
  const listed = Object.entries(projects).flatMap(([name, written]) => {
    const isThere = realPathIfAny(resolve(path, written)) !== undefined
    return !isThere && findBesideMain(ownMain, written) === main ? name : []
  })
  const holder = existing.find(other => other.path === main)
  // The main checkout may never have been started.
  const isFree = existing.every(({ name }) => name !== project.wanted.name)
  const name = holder?.name ?? (isFree ? project.wanted.name : undefined)
  return name === undefined || Object.hasOwn(projects, name) ? listed : [...listed, name]
}
