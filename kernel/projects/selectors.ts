import { existsSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import type { ProjectRef } from '../contract/plugin.ts'
import { LocaldError } from '../errors.ts'
import { realPathIfAny } from '../lib/real-path.ts'
import { isWorktree } from '../registry/git-worktree.ts'
import type { Service } from '../services/service.ts'
import { closest } from '../system/suggest.ts'
import type { Project } from './project.ts'

/** A project and the targeted services of it, in the order of its file. */
export interface Target {
  readonly project: Project
  readonly names: readonly string[]
}

/** Names of services by project, as users write them: `web` in the project's folder, `shop:web` anywhere. */
export interface Named {
  /** Names without a project: they belong to the one in the caller's folder. */
  readonly here: readonly string[]
  readonly elsewhere: ReadonlyMap<string, readonly string[]>
}

/** Splits names into those of the folder's project and those with a project. */
export function splitNames(names: readonly string[]): Named {
  const here: string[] = []
  const elsewhere = new Map<string, string[]>()
  for (const name of names) {
    const colon = name.indexOf(':')
    if (colon === -1) here.push(name)
    else {
      const project = name.slice(0, colon)
      elsewhere.set(project, [...(elsewhere.get(project) ?? []), name.slice(colon + 1)])
    }
  }
  return { here, elsewhere }
}

/**
 * Returns the project in a folder or the nearest one above it, if it is known. A folder with a `locald.toml` or a git
 * worktree of its own belongs to no project above it, also before its first `up`.
 */
export function projectAt<T>(projects: Pick<ReadonlyMap<string, T>, 'get'>, path: string): T | undefined {
  for (let folder = pathOf(path); ; folder = dirname(folder)) {
    const found = projects.get(folder)
    if (found !== undefined || folder === dirname(folder)) return found
    if (existsSync(join(folder, 'locald.toml')) || isWorktree(folder)) return undefined
  }
}

/** Returns the project with a name. Throws UNKNOWN_PROJECT. */
export function projectNamed<T extends { readonly ref: ProjectRef }>(projects: Iterable<T>, name: string): T {
  const all = [...projects]
  const found = all.find(({ ref }) => ref.name === name)
  if (found !== undefined) return found
  throw unknownProject(all, name, `unknown project '${name}'`)
}

/** Returns UNKNOWN_PROJECT, with a suggestion. */
export function unknownProject(
  projects: readonly { readonly ref: ProjectRef }[],
  name: string,
  message: string,
): LocaldError {
  const names = projects.map(({ ref }) => ref.name)
  const near = closest(name, names)
  return new LocaldError('UNKNOWN_PROJECT', message, {
    hint:
      near !== undefined
        ? `Did you mean '${near}'?`
        : names.length === 0
          ? 'Run `locald up` in the folder of a project first: none has been started yet.'
          : `Use one of ${names.join(', ')}, or run \`locald up\` in a folder to add its project.`,
  })
}

/** Whether a word is a path, not a name: names have neither slashes nor dots. */
export function isPath(word: string): boolean {
  return word.includes('/') || word.startsWith('.')
}

/**
 * Throws UNKNOWN_SERVICE for all names that are no service of a project. `projects`: names of projects to suggest as
 * well.
 */
export function requireServices(
  project: string,
  known: readonly string[],
  names: readonly string[],
  projects?: readonly string[],
): void {
  const missing = names.filter(name => !known.includes(name))
  const [first] = missing
  if (first === undefined) return
  const near = closest(first, [...known, ...(projects ?? [])])
  const nor = projects === undefined ? '' : ', and no project has that name'
  throw new LocaldError('UNKNOWN_SERVICE', `unknown service '${missing.join("', '")}' in project '${project}'${nor}`, {
    hint: near === undefined ? servicesHint(project, known) : `Did you mean '${near}'?`,
  })
}

function servicesHint(project: string, known: readonly string[]): string {
  const [only, ...others] = known
  if (only === undefined) return `Add a service to ${project} first: it has none.`
  return others.length === 0 ? `Use '${only}', its only service.` : `Use one of ${known.join(', ')}.`
}

/** Names all services of a project. */
export function namesOf(project: Project): readonly string[] {
  return [...project.services.keys()]
}

/** Returns the services of a target. */
export function servicesOf({ project, names }: Target): readonly Service[] {
  return names.flatMap(name => project.service(name) ?? [])
}

/** Resolves symbolic links where the folder exists: a project has one path. */
function pathOf(folder: string): string {
  const found = realPathIfAny(folder)
  if (found !== undefined) return found
  // The folders above a missing one may still be links.
  const whole = resolve(folder)
  const above = dirname(whole)
  return above === whole ? whole : join(pathOf(above), basename(whole))
}
