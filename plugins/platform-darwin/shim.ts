import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { confName, darwinPaths } from '../../shim/paths.ts'
import type { ShimState } from '../privileges/provides.ts'

/** Where `locald admin setup` installs the privileged helper. */
export const [shimPath] = darwinPaths.shims
/** The users that may run it, a line `uid N` each. */
export const shimConf = join(darwinPaths.conf, confName)

const setup = 'Run `sudo locald admin setup`.'

/** Returns whether this user can use the privileged helper. `root`: `/`, except in tests. */
export async function findShim({ root, uid }: { readonly root: string; readonly uid: number }): Promise<ShimState> {
  const off = (reason: string): ShimState => ({ on: false, reason, hint: setup, path: shimPath, portsOnly: false })
  const file = await stat(join(root, shimPath)).catch(() => undefined)
  if (file === undefined) return off('locald-shim is not installed')
  if (!file.isFile() || file.uid !== 0 || (file.mode & 0o4000) === 0 || (file.mode & 0o022) !== 0) {
    return off(`${shimPath} is not a setuid program that only root can change`)
  }
  const conf = await readFile(join(root, shimConf), 'utf8').catch(() => '')
  if (uid !== 0 && !conf.split('\n').includes(`uid ${uid}`)) return off('locald-shim was not set up for this user')
  return { on: true, path: shimPath, portsOnly: false }
}
