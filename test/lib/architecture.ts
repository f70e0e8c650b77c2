/** What docs/architecture.md says of the tree. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './sources.ts'

export const architecturePage = readFileSync(join(root, 'docs', 'architecture.md'), 'utf8')

/** Returns the names in the first column of the table with this heading, in order. */
export function firstColumn(heading: string): readonly string[] {
  const lines = architecturePage.split('\n')
  const from = lines.findIndex(line => line.startsWith(`| ${heading} `))
  const rest = lines.slice(from + 2)
  const end = rest.findIndex(line => !line.startsWith('|'))
  return rest.slice(0, end).flatMap(line => /^\| `([^`]+)`/.exec(line)?.[1] ?? [])
}

/** Returns the rooms and files of kernel/ from above: each may import only itself and those below it. */
export function kernelOrder(): readonly string[] {
  return firstColumn('In `kernel/`')
}
