import type { Stats } from 'node:fs'
import { stat } from 'node:fs/promises'

/** Returns what stat(2) says of a path, links followed; undefined where nothing is there, or it cannot be reached. */
export async function statIfAny(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path)
  } catch {
    return undefined
  }
}

/** Whether a path exists and can be reached. */
export async function exists(path: string): Promise<boolean> {
  return (await statIfAny(path)) !== undefined
}
