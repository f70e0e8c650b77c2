import { join } from 'node:path'
import { fileShape, hasShape } from '../../system/file-shape.ts'
import { readJson, writeAtomic } from '../../system/files.ts'

/** A folder whose project files locald reads although they belong to other users, after `locald config allow`. */
export interface AllowedFolder {
  readonly path: string
  readonly owners: readonly number[]
}

const fileOfFolders = fileShape({ type: 'object', required: ['folders'], properties: { folders: { type: 'array' } } })
const allowedFolder = fileShape({
  type: 'object',
  required: ['path', 'owners'],
  properties: { path: { type: 'string' }, owners: { type: 'array', items: { type: 'integer' } } },
})

/** Reads the allowed folders from the data folder; a file that cannot be read allows none. */
export function allowedFolders(dataFolder: string): readonly AllowedFolder[] {
  try {
    return foldersIn(readJson(fileIn(dataFolder)))
  } catch {
    return []
  }
}

/** Allows a folder for these owners, in addition to those it is allowed for already. */
export function allowFolder(dataFolder: string, { path, owners }: AllowedFolder): void {
  const known = allowedFolders(dataFolder)
  const before = known.find(folder => folder.path === path)?.owners ?? []
  const folder = { path, owners: [...new Set([...before, ...owners])].sort((a, b) => a - b) }
  const folders = [...known.filter(other => other.path !== path), folder]
  writeAtomic(fileIn(dataFolder), `${JSON.stringify({ version: 1, folders }, null, 2)}\n`)
}

function fileIn(dataFolder: string): string {
  return join(dataFolder, 'allowed.json')
}

/** Reads the entries; a damaged one allows nothing, and the others still count. */
function foldersIn(value: unknown): readonly AllowedFolder[] {
  if (!hasShape(value, fileOfFolders)) return []
  return value.folders.filter(folder => hasShape(folder, allowedFolder))
}
