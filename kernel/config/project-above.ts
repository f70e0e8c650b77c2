import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { exists } from '../system/stat.ts'
import { inferProject, type ProjectAbove, type Sources } from './inference.ts'
import { Problems } from './problems.ts'
import type { Trust } from './trust.ts'

/**
 * Finds the nearest folder above that a source describes: within the git repository of `start`, else below the home
 * folder.
 */
export async function findProjectAbove(
  start: string,
  sources: Sources,
  trust: Trust,
): Promise<ProjectAbove | undefined> {
  for (let folder = start; ; ) {
    if (await exists(join(folder, '.git'))) return undefined
    folder = dirname(folder)
    if (dirname(folder) === folder || folder === homedir()) return undefined
    const inference = await inferProject({ root: folder, trust }, sources, new Problems())
    if (inference !== 'faulty' && 'detection' in inference) return { folder, file: inference.detection.file }
  }
}
