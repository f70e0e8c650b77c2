import { join } from 'node:path'
import { exists } from '../../../kernel/system/stat.ts'

/** The names that compose looks for, in its order. */
export const composeNames = ['compose.yaml', 'compose.yml', 'docker-compose.yml', 'docker-compose.yaml'] as const

const overrideNames = [
  'compose.override.yml',
  'compose.override.yaml',
  'docker-compose.override.yml',
  'docker-compose.override.yaml',
] as const

/** Returns the compose file of a folder and the file that overrides it, absolute; none where there is no file. */
export async function findComposeFiles(folder: string): Promise<readonly string[]> {
  const main = await firstOf(folder, composeNames)
  if (main === undefined) return []
  const override = await firstOf(folder, overrideNames)
  return override === undefined ? [main] : [main, override]
}

async function firstOf(folder: string, names: readonly string[]): Promise<string | undefined> {
  for (const name of names) if (await exists(join(folder, name))) return join(folder, name)
  return undefined
}
