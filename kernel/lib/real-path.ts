import { realpath, realpathSync } from 'node:fs'
import { systemCode } from '../errors.ts'

/*
 * locald identifies a folder by its real path: without links, and spelt as on disk where a file system accepts several
 * spellings (upper and lower case, composed and decomposed letters: APFS, HFS+). realpath(3) returns that spelling in
 * Apple's Libc (stdlib/FreeBSD/realpath.c); Node's own `realpath`, without `.native`, only follows links.
 */

/** Returns the real path of a file or folder. Throws the system's errors. */
export function realPathNow(path: string): string {
  return realpathSync.native(path)
}

/** As `realPathNow`, without blocking the process. */
export function realPath(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    realpath.native(path, (error, found) => (error === null ? resolve(found) : reject(error)))
  })
}

/** As `realPathNow`; returns undefined where that fails. */
export function realPathIfAny(path: string): string | undefined {
  try {
    return realPathNow(path)
  } catch {
    return undefined
  }
}

/**
 * Returns whether a path from `realPathNow` is still a real path: false also for a folder that was renamed in case
 * only, which its old name still finds. Returns true where the system cannot say.
 */
export function isStillAt(path: string): boolean {
  try {
    return realPathNow(path) === path
  } catch (error) {
    return !['ENOENT', 'ENOTDIR', 'ELOOP'].includes(systemCode(error) ?? '')
  }
}
