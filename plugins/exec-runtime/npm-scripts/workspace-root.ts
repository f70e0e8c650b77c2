import { dirname, join, relative } from 'node:path'
import { canAccess } from '../../lib/files.ts'
import { fieldOf } from '../../lib/json.ts'
import { type PackageJson, readPackageJson } from '../package-json.ts'

/** A package above another one, of which that is a workspace. */
export interface WorkspaceRoot {
  readonly folder: string
  readonly content: PackageJson
}

/**
 * Finds the package whose workspace a folder is, as npm does: the nearest one above with a pattern that fits. `unclear`:
 * its patterns are not plain ones.
 */
export async function findWorkspaceRoot(folder: string): Promise<WorkspaceRoot | 'unclear' | undefined> {
  for (let at = folder; at !== dirname(at); ) {
    at = dirname(at)
    const content = await readPackageJson(at)
    if (content === undefined && (await canAccess(join(at, 'package.json')))) return 'unclear'
    const isOne = content !== undefined && hasWorkspace(content, relative(at, folder))
    if (isOne === 'unclear') return 'unclear'
    if (content !== undefined && isOne) return { folder: at, content }
  }
  return undefined
}

function hasWorkspace({ workspaces }: PackageJson, path: string): boolean | 'unclear' {
  if (workspaces === undefined) return false
  const patterns = Array.isArray(workspaces) ? workspaces : fieldOf(workspaces, 'packages')
  if (!Array.isArray(patterns)) return 'unclear'
  const words = path.split('/')
  if (words.some(word => word === 'node_modules' || word.startsWith('.'))) return 'unclear'
  const matches = patterns.map(pattern => {
    const parts = typeof pattern === 'string' ? pattern.replace(/^\.\//, '').replace(/\/$/, '').split('/') : []
    if (!parts.every(part => part === '*' || /^\w[\w@.-]*$|^@[\w.-]+$/.test(part))) return 'unclear'
    return parts.length === words.length && parts.every((part, index) => part === '*' || part === words[index])
  })
  return matches.includes('unclear') ? 'unclear' : matches.includes(true)
}
