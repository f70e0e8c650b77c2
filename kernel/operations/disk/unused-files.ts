import { lstat, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { RemovedFiles } from '../../protocol.ts'
import { isDeleted } from '../../registry/folder-identity.ts'
import type { KnownProject } from '../../registry/known-project.ts'
import { FileCounter, namesIn } from './file-counter.ts'

/** Sizes are counted for so long, ms. */
const limitMs = 10_000

/** Lists the logs of projects in the data folder, except of the projects with these names. */
export async function findUnusedLogs(dataFolder: string, names: ReadonlySet<string>): Promise<readonly RemovedFiles[]> {
  const folder = join(dataFolder, 'logs')
  const counter = new FileCounter(performance.now() + limitMs)
  const unused: RemovedFiles[] = []
  for (const project of (await namesIn(folder)).toSorted()) {
    const path = join(folder, project)
    if (!names.has(project) && (await isFolder(path)))
      unused.push({ project, path, bytes: await counter.bytesIn(path) })
  }
  return unused
}

/**
 * Lists the data of those of the given projects whose folder was deleted. Not of one whose folder was renamed or is on a
 * file system that is not mounted, or where an earlier version has not recorded which folder it was.
 */
export async function findDeletedData(
  dataFolder: string,
  projects: readonly KnownProject[],
): Promise<readonly RemovedFiles[]> {
  const counter = new FileCounter(performance.now() + limitMs)
  const found: RemovedFiles[] = []
  for (const { name, path: place, folder, gitDir } of projects) {
    const path = join(dataFolder, 'services', name)
    if (folder === undefined || !(await isFolder(path)) || (await namesIn(path)).length === 0) continue
    if (await isDeleted(place, folder, gitDir)) found.push({ project: name, path, bytes: await counter.bytesIn(path) })
  }
  return found
}

/** Removes the logs or the data of a project. Throws the system's errors. */
export async function removeFiles({ path }: RemovedFiles): Promise<void> {
  await rm(path, { recursive: true, force: true })
}

async function isFolder(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined))?.isDirectory() === true
}
