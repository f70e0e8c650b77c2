import { statSync } from 'node:fs'

/** Whether a path leads to a folder; what cannot be looked at (a path through a file, a circle of links) does not. */
export function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}
