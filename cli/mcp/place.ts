import { existsSync } from 'node:fs'
import { basename, isAbsolute, join } from 'node:path'
import { LocaldError } from '../../kernel/errors.ts'
import { isWithin } from '../../kernel/lib/subpath.ts'
import type { KnownProjectView, RegistryAnswer } from '../../kernel/protocol.ts'
import { isFolder } from '../args/folder.ts'
import type { Client } from '../daemon/client.ts'
import type { Session } from './session.ts'

/** The project that a tool is about. */
export interface Place {
  /** Its folder, absolute; that of the client where it is not known yet. */
  readonly path: string
  readonly name: string
  /** The branch of the linked git worktree that it is in. */
  readonly branch: string | null
  readonly domain: string | null
}

/**
 * Finds the project: `project` is a folder or a name; without it, that of the client's roots, else of the folder in
 * which the client has started this process. Throws UNKNOWN_PROJECT.
 */
export async function findPlace(session: Session, daemon: Client | undefined, project?: string): Promise<Place> {
  const known = daemon === undefined ? [] : (await daemon.get<RegistryAnswer>('/v1/registry')).projects
  if (project !== undefined) return placeNamed(project, known)
  const folders = [...(await session.roots()), session.cwd]
  for (const folder of folders) {
    const found = projectAt(folder, known)
    if (found !== undefined) return placeOf(found)
  }
  const first = folders.find(folder => existsSync(join(folder, 'locald.toml'))) ?? folders[0] ?? session.cwd
  return newPlace(first)
}

/** Returns the first line of each answer. */
export function describePlace({ name, branch, path }: Place): string {
  return `Project ${name}${branch === null ? '' : ` (worktree of branch ${branch})`} in ${path}`
}

function placeNamed(project: string, known: readonly KnownProjectView[]): Place {
  if (isAbsolute(project)) {
    if (isFolder(project)) {
      const found = projectAt(project, known)
      return found === undefined ? newPlace(project) : placeOf(found)
    }
    throw new LocaldError('UNKNOWN_PROJECT', `folder ${project} not found`, { hint: hintOf(known) })
  }
  const [first, ...more] = known.filter(({ name, exists }) => name === project && exists)
  if (first === undefined) {
    throw new LocaldError('UNKNOWN_PROJECT', `unknown project '${project}'`, { hint: hintOf(known) })
  }
  if (more.length === 0) return placeOf(first)
  const paths = [first, ...more].map(({ path }) => path)
  throw new LocaldError('UNKNOWN_PROJECT', `${paths.length} projects are named '${project}'`, {
    hint: `Use one of their folders as \`project\`: ${paths.join(', ')}.`,
  })
}

function hintOf(known: readonly KnownProjectView[]): string {
  const names = known.filter(({ exists }) => exists).map(({ name, path }) => `${name} (${path})`)
  const list = names.length === 0 ? '' : `, or one of ${names.slice(0, 20).join(', ')}`
  return `Use an absolute folder with a project as \`project\`${list}.`
}

/** Returns the innermost known project that a folder is in. */
function projectAt(folder: string, known: readonly KnownProjectView[]): KnownProjectView | undefined {
  const above = known.filter(({ path }) => isWithin(folder, path))
  return above.toSorted((a, b) => b.path.length - a.path.length)[0]
}

function placeOf({ name, path, branch, domain }: KnownProjectView): Place {
  return { name, path, branch: branch ?? null, domain }
}

function newPlace(path: string): Place {
  return { path, name: basename(path), branch: null, domain: null }
}
