import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** The names that compose looks for, in its order. */
export const composeNames = ['compose.yaml', 'compose.yml', 'docker-compose.yml', 'docker-compose.yaml'] as const

const overrideNames = [
  'compose.override.yml',
  'compose.override.yaml',
  'docker-compose.override.yml',
  'docker-compose.override.yaml',
] as const

/** Returns the name of a folder's compose file. */
export function findComposeFile(folder: string): string | undefined {
  return composeNames.find(name => existsSync(join(folder, name)))
}

/** Returns the compose file of a folder and the file that overrides it, absolute; none where there is no file. */
export function findComposeFiles(folder: string): readonly string[] {
  const main = findComposeFile(folder)
  if (main === undefined) return []
  const override = overrideNames.find(name => existsSync(join(folder, name)))
  return [main, ...(override === undefined ? [] : [override])].map(name => join(folder, name))
}
