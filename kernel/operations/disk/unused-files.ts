import { lstat, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { RemovedFiles } from '../../protocol.ts'
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

/** Removes the logs or the data of a project. Throws the system's errors. */
export async function removeFiles(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true })
}

/** Whether there is a folder at a path, and no link to one. */
export async function isFolder(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined))?.isDirectory() === true
}
