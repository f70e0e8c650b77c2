import { relative, sep } from 'node:path'

/** Whether an absolute path is a folder, or below it. `..` in either is resolved, links are not. */
export function isWithin(path: string, folder: string): boolean {
  const inside = relative(folder, path)
  return inside !== '..' && !inside.startsWith(`..${sep}`)
}

/** Whether an absolute path is below a folder, and not the folder itself. */
export function isBelow(path: string, folder: string): boolean {
  return isWithin(path, folder) && relative(folder, path) !== ''
}
