import { join } from 'node:path'
import { isProgram } from '../lib/files.ts'
import { pathFolders } from '../lib/programs.ts'

/** How to get Lima, for hints. */
export const installHint = 'Run `brew install lima` or `locald vm install`.'

/** Where Homebrew and MacPorts install; a daemon that launchd starts does not have them on its PATH. */
const brewFolders = ['/opt/homebrew/bin', '/usr/local/bin', '/opt/local/bin', '/home/linuxbrew/.linuxbrew/bin']

/**
 * Returns where limactl may be, the first one that is there counts: what `LIMACTL` names and nothing else, or that of
 * `locald vm install`, of PATH and of Homebrew.
 *
 * @param dist the folder of `locald vm install`
 */
export function limactlPaths(env: NodeJS.ProcessEnv, dist: string): readonly string[] {
  const named = env['LIMACTL']
  if (named) return [named]
  const folders = [join(dist, 'bin'), ...pathFolders(env['PATH']), ...brewFolders]
  return [...new Set(folders.map(folder => join(folder, 'limactl')))]
}

/** Returns the path of limactl; undefined where none is there. */
export async function findLimactl(env: NodeJS.ProcessEnv, dist: string): Promise<string | undefined> {
  for (const path of limactlPaths(env, dist)) if (await isProgram(path)) return path
  return undefined
}
