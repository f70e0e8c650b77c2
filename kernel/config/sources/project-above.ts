import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { exists } from '../../system/stat.ts'
import { Problems } from '../document/problems.ts'
import type { Trust } from '../trust/trust.ts'
import { inferProject, type ProjectAbove, type Sources } from './inference.ts'

/** Finds the nearest folder above that a source describes: not above the git repository of `start`, nor at the home. */
export async function findProjectAbove(
  start: string,
  sources: Sources,
  trust: Trust,
): Promise<ProjectAbove | undefined> {
  let found: Omit<ProjectAbove, 'isEnclosed'> | undefined
  for (let folder = start; ; ) {
    const isRepository = await exists(join(folder, '.git'))
    folder = dirname(folder)
    const isEnclosed = isRepository || folder === homedir()
    if (isEnclosed || dirname(folder) === folder) return found === undefined ? undefined : { ...found, isEnclosed }
    if (found !== undefined) continue
    const inference = await inferProject({ root: folder, trust }, sources, new Problems())
    if (inference === 'faulty') return undefined
    if ('detection' in inference) found = { folder, file: inference.detection.file }
  }
}
