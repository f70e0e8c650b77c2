/** Native programs that only tests need. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { root } from './user.ts'

/**
 * Builds programs for a daemon that takes itself for a Mac's, unless they are up to date: their keeper is compiled as
 * on macOS and meets the rules of its kernel. Their folder in a package; undefined on a Mac, which has the real ones.
 * Throws when they cannot be built.
 */
export function nativeOfMac(): string | undefined {
  if (process.platform === 'darwin') return undefined
  const ran = spawnSync(process.execPath, [join(root, 'build', 'scripts', 'build-native.js'), '--xnu'], {
    encoding: 'utf8',
  })
  if (ran.status !== 0) throw new Error(`the programs for daemons as on a Mac were not built: ${ran.stderr}`)
  return join('build', 'native', 'xnu')
}
