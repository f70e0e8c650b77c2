import { resolve } from 'node:path'
import { LocaldError } from '../errors.ts'
import type { TargetBody } from '../protocol.ts'
import type { Service } from '../services/service.ts'
import type { Project } from './project.ts'
import { isPath, namesOf, projectNamed, requireServices, servicesOf, type Target, unknownProject } from './selectors.ts'

/** Where targets are found. */
export interface TargetSource {
  /** The projects that are loaded. */
  list(): readonly Project[]
  /** Returns the project at or above a folder. Throws CONFIG_NOT_FOUND, or what is wrong with its configuration. */
  at(path: string): Promise<Project>
  /** Returns the project of a name, if one is known. */
  named(name: string): Promise<Project | undefined>
}

/** Returns the services that a request targets: of the project at its path, of projects that they name, or of all. */
export async function findTargets(body: TargetBody, source: TargetSource): Promise<readonly Target[]> {
  if (body.all === true) return source.list().map(whole)
  const { services: words = [] } = body
  if (words.length === 0) return [whole(await source.at(body.path))]
  const meant = new Map<Project, string[]>()
  for (const word of words) {
    const { project, names } = await resolveWord(word, body.path, source)
    meant.set(project, [...new Set([...(meant.get(project) ?? []), ...names])])
  }
  for (const [project, names] of meant) {
    const isBare = names.some(name => words.includes(name))
    const others = isBare ? source.list().map(({ ref }) => ref.name) : undefined
    requireServices(project.ref.name, namesOf(project), names, others)
  }
  return [...meant].map(([project, names]) => ({ project, names }))
}

/** Returns the only service of the targets of a word. Throws UNKNOWN_SERVICE where there are none or several. */
export function oneService(
  [target]: readonly Target[],
  word: string,
): { readonly project: Project; readonly service: Service } {
  const [service, ...others] = target === undefined ? [] : servicesOf(target)
  if (target === undefined || service === undefined)
    throw new LocaldError('UNKNOWN_SERVICE', `unknown service '${word}'`)
  if (others.length === 0) return { project: target.project, service }
  throw new LocaldError('UNKNOWN_SERVICE', `'${word}' is a project with several services`, {
    hint: `Name one: ${[service, ...others].map(({ ref }) => ref.key).join(', ')}.`,
  })
}

/**
 * Resolves a word, nearest meaning first: a folder where it looks like a path; `project:service`; a service of the
 * project in `path`; a project. Keeps the name of a service that does not exist, to be reported with others.
 */
async function resolveWord(word: string, path: string, source: TargetSource): Promise<Target> {
  if (isPath(word)) return whole(await source.at(resolve(path, word)))
  const colon = word.indexOf(':')
  if (colon >= 0) {
    const name = word.slice(0, colon)
    const project = (await source.named(name)) ?? projectNamed(source.list(), name)
    return { project, names: [word.slice(colon + 1)] }
  }
  const here = await source.at(path).catch((error: unknown) => LocaldError.from(error))
  if (!LocaldError.is(here) && here.service(word) !== undefined) return { project: here, names: [word] }
  const other = await source.named(word)
  if (other !== undefined) return whole(other)
  if (!LocaldError.is(here)) return { project: here, names: [word] }
  if (here.code !== 'CONFIG_NOT_FOUND') throw here
  const message = `unknown project '${word}', and no project in ${path} that could have a service '${word}'`
  throw unknownProject(source.list(), word, message)
}

function whole(project: Project): Target {
  return { project, names: namesOf(project) }
}
