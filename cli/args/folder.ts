import { existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Whether a path leads to a folder; what cannot be looked at (a path through a file, a circle of links) does not. */
export function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}

/**
 * Returns the nearest folder at or above one that has a `locald.toml`; undefined without any.
 * @param isLast whether folders above this one are no longer looked at; default: up to the root
 */
export function findProjectFolder(
  start: string,
  isLast: (folder: string) => boolean = () => false,
): string | undefined {
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'locald.toml'))) return folder
    if (isLast(folder) || dirname(folder) === folder) return undefined
  }
}
