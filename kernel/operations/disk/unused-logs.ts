import { lstat, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { RemovedLogs } from '../../protocol.ts'
import { FileCounter, namesIn } from './file-counter.ts'

/** Sizes are counted for so long, ms. */
const limitMs = 10_000

/** Lists the logs of projects in the data folder, except of the projects with these names. */
export async function findUnusedLogs(dataFolder: string, names: ReadonlySet<string>): Promise<readonly RemovedLogs[]> {
  const folder = join(dataFolder, 'logs')
  const counter = new FileCounter(performance.now() + limitMs)
  const unused: RemovedLogs[] = []
  for (const project of (await namesIn(folder)).toSorted()) {
    const path = join(folder, project)
    const isFolder = (await lstat(path).catch(() => undefined))?.isDirectory() === true
    if (isFolder && !names.has(project)) unused.push({ project, path, bytes: await counter.bytesIn(path) })
  }
  return unused
}

/** Removes the logs of a project. Throws the system's errors. */
export async function removeLogs({ path }: RemovedLogs): Promise<void> {
  await rm(path, { recursive: true, force: true })
}
