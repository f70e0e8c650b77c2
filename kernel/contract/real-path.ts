import { realpath, realpathSync } from 'node:fs'
import { systemCode } from '../errors.ts'

/*
 * A path that identifies something is the one that the system has for it: without links, and where a file system takes several spellings
 * of a name (upper and lower case, composed and decomposed letters: APFS, HFS+), in that of the disk. realpath(3) of Apple's Libc answers so
 * (stdlib/FreeBSD/realpath.c); Node's own `realpath`, without `.native`, only follows links.
 */

/** The one path of what is there. Throws the system's errors. */
export function realPathNow(path: string): string {
  return realpathSync.native(path)
}

/** As `realPathNow`, while others are served. */
export function realPath(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    realpath.native(path, (error, found) => (error === null ? resolve(found) : reject(error)))
  })
}

/** As `realPathNow`; undefined for what cannot be found. */
export function realPathIfAny(path: string): string | undefined {
  try {
    return realPathNow(path)
  } catch {
    return undefined
  }
}

/**
 * Returns whether a path from `realPathNow` is still the real path of what is there: false also for a folder that was renamed in case only,
 * which its old name still finds. True where the system gives no answer.
 */
export function isStillAt(path: string): boolean {
  try {
    return realPathNow(path) === path
  } catch (error) {
    return !['ENOENT', 'ENOTDIR', 'ELOOP'].includes(systemCode(error) ?? '')
  }
}
