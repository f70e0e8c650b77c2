import { dirname, join } from 'node:path'
import { LocaldError } from '../../errors.ts'
import { realPath } from '../../lib/real-path.ts'
import { ownersAt } from '../../lib/text-file.ts'
import { statIfAny } from '../../system/stat.ts'
import { type AllowedFolder, allowFolder } from './allowed-folders.ts'
import { projectFiles, Trust } from './trust.ts'

/** What to allow. */
export interface AllowRequest {
  /** A folder, or one of the files in it. */
  readonly path: string
  readonly dataFolder: string
  /** Names of files that describe a project without a `locald.toml`. */
  readonly sources: readonly string[]
}

/**
 * Allows the project files of a folder, or of the folder that a file is in, for the users who own them now. Returns
 * these users: none where the files are the caller's. Throws USAGE where nothing is at the path.
 */
export async function allowPath({ path, dataFolder, sources }: AllowRequest): Promise<AllowedFolder> {
  const given = await statIfAny(path)
  if (given === undefined) {
    throw new LocaldError('USAGE', `there is no file or folder ${path}`, { hint: 'Name the folder of the project.' })
  }
  const folder = await realPath(given.isDirectory() ? path : dirname(path))
  const names = [...projectFiles, ...sources].map(name => join(folder, name))
  const owners = await Promise.all((given.isDirectory() ? [folder, ...names] : [path]).map(ownersAt))
  const allowed = { path: folder, owners: new Trust().strangers(owners.flat()) }
  if (allowed.owners.length > 0) allowFolder(dataFolder, allowed)
  return allowed
}
