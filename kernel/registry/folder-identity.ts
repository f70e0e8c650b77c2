import { lstatSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { systemCode } from '../errors.ts'

/** What remains of a folder when it is renamed; the time distinguishes it from a later one with the same inode. */
export interface FolderIdentity {
  readonly dev: number
  readonly ino: number
  readonly birthtimeMs: number
}

/** Why services are stopped whose project's folder was deleted, as their status shows it. */
export const deletedReason = 'its folder was deleted'

/** Returns the identity of the folder at a path; undefined where it cannot be read. */
export function identifyFolder(path: string): FolderIdentity | undefined {
  try {
    const { dev, ino, birthtimeMs } = lstatSync(path)
    return { dev, ino, birthtimeMs }
  } catch {
    return undefined
  }
}

/** Whether there is nothing at a path; false where the system cannot say (EACCES, EIO, ENOTCONN). */
export function isMissing(path: string): boolean {
  try {
    lstatSync(path)
    return false
  } catch (error) {
    return systemCode(error) === 'ENOENT'
  }
}

/** Whether the folder at a path is the one of an identity; false where the file system has no times of creation. */
export function isFolderOf(path: string, identity: FolderIdentity | undefined): boolean {
  return identity !== undefined && identity.birthtimeMs > 0 && isSame(path, identity)
}

/**
 * Returns where a folder is now, by the present folders of processes that were started in or below it; undefined where
 * none is in or below it any more.
 */
export function findAbove(folders: readonly string[], identity: FolderIdentity): string | undefined {
  for (const folder of folders)
    for (let at = folder; at !== dirname(at); at = dirname(at)) if (isFolderOf(at, identity)) return at
  return undefined
}

/**
 * Whether a folder was deleted: neither renamed, as far as that can be found out, nor on a file system that was
 * unmounted, of which the nearest folder above it would be on another device.
 * @param gitDir git's own folder of the linked worktree that it was in: it has the new place after `git worktree move`
 */
export async function isDeleted(path: string, identity: FolderIdentity, gitDir: string | undefined): Promise<boolean> {
  if (!isMissing(path)) return false
  let above = dirname(path)
  while (isMissing(above)) above = dirname(above)
  if (identifyFolder(above)?.dev !== identity.dev) return false
  const [, ...below] = relative(above, path).split(sep)
  const entries = await readdir(above, { withFileTypes: true })
  for (const { name } of entries.filter(entry => entry.isDirectory()))
    if (isSame(join(above, name, ...below), identity)) return false
  if (await isInMovedWorktree(path, identity, gitDir)) return false
  return isMissing(path)
}

/** Whether the folder is where git now has the linked worktree: itself, or below it in the same place. */
async function isInMovedWorktree(path: string, identity: FolderIdentity, gitDir: string | undefined): Promise<boolean> {
  const link = gitDir === undefined ? '' : await readFile(join(gitDir, 'gitdir'), 'utf8').catch(() => '')
  if (gitDir === undefined || link.trim() === '') return false
  const root = dirname(resolve(gitDir, link.trim()))
  const parts = path.split(sep)
  return parts.some((_, index) => isSame(join(root, ...parts.slice(index + 1)), identity))
}

function isSame(path: string, { dev, ino, birthtimeMs }: FolderIdentity): boolean {
  const other = identifyFolder(path)
  return other?.dev === dev && other.ino === ino && other.birthtimeMs === birthtimeMs
}
