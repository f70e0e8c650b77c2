import type { Stats } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { realPath } from '../../../kernel/contract/plugin.ts'

/** What a URL path leads to. Paths are real ones, below the root. */
export type Found =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'redirect'; readonly to: string }
  | { readonly kind: 'missing' }

const missing: Found = { kind: 'missing' }

interface Entry {
  readonly path: string
  readonly stats: Stats
}

/**
 * Finds the file for the path of a URL: the file itself, the `index.html` of a folder, or `about.html` for `/about`.
 * Finds nothing outside the root, also through links, and no hidden file but below `.well-known`.
 *
 * @param root a real path
 * @param pathname as it was sent, without the query
 */
export async function findFile(root: string, pathname: string): Promise<Found> {
  const names = decodeNames(pathname)
  if (names === undefined) return missing
  const isFolder = names.at(-1) === ''
  const inside = isFolder ? names.slice(0, -1) : names
  if (!inside.every(isVisible)) return missing
  const path = join(root, ...inside)
  const [entry, index, page] = await Promise.all([
    find(root, path),
    find(root, join(path, 'index.html')),
    inside.length === 0 ? undefined : find(root, `${path}.html`),
  ])
  if (entry?.stats.isFile() && !isFolder) return fileOf(entry)
  if (entry?.stats.isDirectory() && index?.stats.isFile())
    return isFolder ? fileOf(index) : { kind: 'redirect', to: `${pathname}/` }
  if (page?.stats.isFile()) return isFolder ? { kind: 'redirect', to: pathname.slice(0, -1) } : fileOf(page)
  if (!entry?.stats.isDirectory()) return missing
  return isFolder ? { kind: 'folder', path: entry.path } : { kind: 'redirect', to: `${pathname}/` }
}

/** Finds a file by its path below the root, if it is visible. */
export async function findNamed(root: string, name: string): Promise<string | undefined> {
  const entry = await find(root, join(root, name))
  return entry?.stats.isFile() ? entry.path : undefined
}

/** Whether a name may be in a URL. */
export function isVisible(name: string): boolean {
  return name !== '' && !/[/\0]/.test(name) && (!name.startsWith('.') || name === '.well-known')
}

function fileOf({ path }: Entry): Found {
  return { kind: 'file', path }
}

/** Decodes each name of a path once; undefined for a path that is none. */
function decodeNames(pathname: string): readonly string[] | undefined {
  if (!pathname.startsWith('/')) return undefined
  try {
    return pathname.slice(1).split('/').map(decodeURIComponent)
  } catch {
    return undefined
  }
}

/** Finds an entry whose real path is in the root, and visible there. */
async function find(root: string, path: string): Promise<Entry | undefined> {
  try {
    const real = await realPath(path)
    const inside = relative(root, real)
    if (inside !== '' && !inside.split(sep).every(isVisible)) return undefined
    return { path: real, stats: await stat(real) }
  } catch {
    // Missing, not readable, a circle of links, or a name that the system refuses.
    return undefined
  }
}
