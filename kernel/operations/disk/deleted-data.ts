import { join } from 'node:path'
import type { DiskPart, ReadDisk } from '../../contract/plugin.ts'
import type { DeletedData } from '../../protocol.ts'
import { isDeleted } from '../../registry/folder-identity.ts'
import type { KnownProject } from '../../registry/known-project.ts'
import { FileCounter, namesIn } from './file-counter.ts'
import { readParts } from './plugin-parts.ts'
import { isFolder, removeFiles } from './unused-files.ts'

/** Sizes are counted, and plugins waited for, so long, ms. */
const limitMs = 10_000

/** Data of a project whose folder was deleted, and how it is removed. */
export interface RemovableData extends Omit<DeletedData, 'removed'> {
  /** Removes it, unless the folder is there again. Rejects with the system's error, or the plugin's. */
  remove(): Promise<void>
}

/**
 * Lists the data of those of the given projects whose folder was deleted: the files of services, and what plugins keep
 * by a name. Not of one whose folder was renamed or is on a file system that is not mounted, or where an earlier version
 * has not recorded which folder it was. Plugins are asked only where a folder was deleted.
 */
export async function findDeletedData(
  dataFolder: string,
  projects: readonly KnownProject[],
  plugins: readonly ReadDisk[],
): Promise<readonly RemovableData[]> {
  const deleted: KnownProject[] = []
  for (const project of projects) if (await wasDeleted(project)) deleted.push(project)
  if (deleted.length === 0) return []
  const parts = (await readParts(plugins, limitMs)).flatMap(listed => listed ?? [])
  const counter = new FileCounter(performance.now() + limitMs)
  const found: RemovableData[] = []
  for (const project of deleted) {
    const removal = (remove: () => Promise<void>) => async () => {
      if (await wasDeleted(project)) await remove()
    }
    const path = join(dataFolder, 'services', project.name)
    if ((await isFolder(path)) && (await namesIn(path)).length > 0) {
      const bytes = await counter.bytesIn(path)
      const files = { project: project.name, what: 'data', name: null, path, bytes }
      found.push({ ...files, remove: removal(() => removeFiles(path)) })
    }
    found.push(...parts.flatMap(part => toData(project.name, part, removal)))
  }
  return found
}

function toData(
  project: string,
  part: DiskPart,
  removal: (remove: () => Promise<void>) => () => Promise<void>,
): readonly RemovableData[] {
  if ('path' in part || part.remove === undefined || part.project !== project) return []
  const { what, name, bytes, remove } = part
  return [{ project, what, name, path: null, bytes, remove: removal(remove) }]
}

async function wasDeleted({ path, folder, gitDir }: KnownProject): Promise<boolean> {
  return folder !== undefined && (await isDeleted(path, folder, gitDir))
}
