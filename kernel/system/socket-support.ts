import { randomBytes } from 'node:crypto'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { systemCode } from '../errors.ts'
import { type Paths, type PathsInput, preparePaths, resolvePaths } from './paths.ts'

/** What bind(2) says on a disk that has no sockets, as SMB, exFAT and some network homes: of macOS, and of Linux. */
const unsupported: readonly unknown[] = ['ENOTSUP', 'EOPNOTSUPP', 'EPERM', 'ENOSYS']

/**
 * The paths of a daemon: those given, or where their runtime folder is on a disk that takes no sockets, as a home on a network may be, with
 * one in the temporary folder, which is made. Throws PATHS_UNUSABLE.
 */
export async function withSockets(paths: Paths, input: PathsInput, fails = socketFault): Promise<Paths> {
  const fault = await fails(paths.runtime)
  if (fault === undefined || !unsupported.includes(fault)) return paths
  const local = resolvePaths({ ...input, runtime: paths.localRuntime })
  preparePaths(local)
  return local
}

/** The system's code for why no socket can be made in a folder; undefined: one can. */
export function socketFault(folder: string): Promise<string | undefined> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', error => resolve(systemCode(error)))
    server.listen(join(folder, `${randomBytes(3).toString('hex')}.s`), () => server.close(() => resolve(undefined)))
  })
}
