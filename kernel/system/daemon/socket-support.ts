import { randomBytes } from 'node:crypto'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { systemCode } from '../../errors.ts'
import { type Paths, type PathsInput, resolvePaths } from '../paths.ts'
import { preparePaths } from '../prepare-paths.ts'

/** Errors of bind(2) on a disk without sockets, such as SMB, exFAT and some network homes, on macOS and Linux. */
const unsupported: readonly unknown[] = ['ENOTSUP', 'EOPNOTSUPP', 'EPERM', 'ENOSYS']

/**
 * Returns the paths of a daemon: the given ones, or, where their runtime folder is on a disk without sockets, such as
 * some network homes, paths with a runtime folder in the temporary folder, which is created. Throws PATHS_UNUSABLE.
 */
export async function withSockets(paths: Paths, input: PathsInput, fails = socketFault): Promise<Paths> {
  const fault = await fails(paths.runtime)
  if (fault === undefined || !unsupported.includes(fault)) return paths
  const local = resolvePaths({ ...input, runtime: paths.localRuntime })
  preparePaths(local)
  return local
}

/** Returns the system's code for why no socket can be created in a folder; undefined where one can. */
export function socketFault(folder: string): Promise<string | undefined> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', error => resolve(systemCode(error)))
    server.listen(join(folder, `${randomBytes(3).toString('hex')}.s`), () => server.close(() => resolve(undefined)))
  })
}
