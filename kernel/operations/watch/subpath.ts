import { dirname } from 'node:path'

/** Whether one of the folders is above the path. */
export function isBelowAny(path: string, folders: ReadonlySet<string>): boolean {
  if (folders.size === 0) return false
  for (let at = dirname(path); ; at = dirname(at)) {
    if (folders.has(at)) return true
    if (at === dirname(at)) return false
  }
}
