import { join } from 'node:path'
import { isProgram } from '../lib/files.ts'
import { findProgram, pathFolders } from '../lib/programs.ts'

/** Where Homebrew and MacPorts install; a daemon that launchd starts does not have them on its PATH. */
const brewFolders = ['/opt/homebrew/bin', '/usr/local/bin', '/opt/local/bin', '/home/linuxbrew/.linuxbrew/bin']

/**
 * Returns the path of limactl: `LIMACTL` names one; else that of `locald vm install`, of PATH or of Homebrew. Undefined
 * where none is there.
 *
 * @param dist the folder of `locald vm install`
 */
export async function findLimactl(env: NodeJS.ProcessEnv, dist: string): Promise<string | undefined> {
  const named = env['LIMACTL']
  if (named) return (await isProgram(named)) ? named : undefined
  const own = join(dist, 'bin', 'limactl')
  if (await isProgram(own)) return own
  return await findProgram(['limactl'], [...pathFolders(env['PATH']), ...brewFolders])
}
