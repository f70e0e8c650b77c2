import { relative, sep } from 'node:path'
import { isBelow, isWithin } from '../../lib/subpath.ts'
import { at, type Path, type Table } from './table.ts'

/** The kind of a file, which decides on what may be written in it. */
export type Role = 'settings' | 'parent' | 'workspace' | 'project' | 'source'

/** A configuration file after reading. `text` is undefined where a plugin made the tables from another kind of file. */
export interface Document {
  readonly file: string
  readonly role: Role
  readonly data: Table
  readonly text: string | undefined
}

/** Returns the strongest file with the path, or else with the nearest table around it. */
export function documentOf(documents: readonly Document[], path: Path): Document | undefined {
  for (let length = path.length; length > 0; length--) {
    const found = documents.findLast(({ data }) => at(data, path.slice(0, length)).found)
    if (found !== undefined) return found
  }
  return documents.at(-1)
}

/**
 * Shortens a file's name for messages: relative inside the project (`.` for the project itself), `~/…` inside home,
 * else absolute.
 */
export function shortName(file: string, root: string, home?: string): string {
  if (isWithin(file, root)) return relative(root, file) || '.'
  return home !== undefined && isBelow(file, home) ? `~${sep}${relative(home, file)}` : file
}
