import type { Stats } from 'node:fs'
import { dirname } from 'node:path'
import { LocaldError, systemCode } from '../errors.ts'

// Every command reads this file: not by import, which reads all of node:fs.
const { closeSync, constants, fchmodSync, fstatSync, lstatSync, openSync, statSync } =
  process.getBuiltinModule('node:fs')

/** The flags of open(2) by kind. That a file is a regular one is checked after it was opened. */
const kinds = { folder: constants.O_DIRECTORY, file: 0 } as const
/** The id that the system shows for a user unknown in a container (user_namespaces(7)): no process here can have it. */
const overflow = 65_534
/** S_ISVTX: in such a folder only an entry's owner may rename or remove it, besides the folder's. */
const sticky = 0o1000

/** Returns the effective user id of this process; undefined where the system has no such ids. */
export function callerUid(): number | undefined {
  return process.geteuid?.()
}

/** An open file and its fstat(2). The caller closes it. */
export interface Opened {
  readonly fd: number
  readonly stat: Stats
}

/**
 * Opens a folder or a regular file for reading. Follows no link at the last step (ELOOP, or ENOTDIR for a folder) and
 * does not block on a FIFO. The owner is not checked: compare `stat.uid`. Throws the system's errors, and
 * PATHS_UNUSABLE for another kind of file.
 */
export function openNoFollow(path: string, kind: keyof typeof kinds): Opened {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | kinds[kind])
  try {
    const stat = fstatSync(fd)
    if (kind === 'file' && !stat.isFile()) throw unusable(`${path} is not a regular file`, 'Put a regular file there.')
    return { fd, stat }
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

/**
 * Whether a folder exists and is the caller's own. Permissions of other users are removed. Throws PATHS_UNUSABLE for
 * another user's folder, a link, anything that is not a folder, and where others could replace it.
 */
export function isOwnFolder(folder: string): boolean {
  let opened: Opened
  try {
    opened = openNoFollow(folder, 'folder')
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT') return false
    if (code === 'ELOOP' || code === 'ENOTDIR' || code === 'EACCES') throw foreignFolder(folder)
    throw error
  }
  try {
    if (!isOwnedByCaller(opened.stat)) throw foreignFolder(folder)
    if ((opened.stat.mode & 0o077) !== 0) fchmodSync(opened.fd, 0o700)
  } finally {
    closeSync(opened.fd)
  }
  if (isReplaceable(dirname(folder))) throw foreignFolder(folder)
  return true
}

/**
 * Whether a path exists and is a Unix socket of the caller's own. Throws PATHS_UNUSABLE for anything else, and where
 * others could replace it.
 */
export function isOwnSocket(path: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return false
  if (stat.isSocket() && isOwnedByCaller(stat) && !isReplaceable(dirname(path))) return true
  throw unusable(`${path} is not a socket of yours`, 'Remove it, or set XDG_RUNTIME_DIR to a folder of your own.')
}

/**
 * Returns the other user in whose folder root would create something at this path, as with a sudo(8) that keeps HOME:
 * that user could not use it then. Undefined where there is none.
 */
export function otherOwnerAbove(path: string): number | undefined {
  if (callerUid() !== 0) return undefined
  for (let at = path; ; at = dirname(at)) {
    const stat = statSync(at, { throwIfNoEntry: false })
    if (stat !== undefined) return stat.uid === 0 || stat.uid === overflow ? undefined : stat.uid
    if (at === dirname(at)) return undefined
  }
}

/** Whether a file belongs to the caller. */
export function isOwnedByCaller({ uid }: Pick<Stats, 'uid'>): boolean {
  const caller = callerUid()
  return caller === undefined || uid === caller
}

/** Whether a user other than the caller and root could replace an entry of `parent`. */
function isReplaceable(parent: string): boolean {
  const stat = statSync(parent)
  const isTrusted = isOwnedByCaller(stat) || stat.uid === 0 || stat.uid === overflow
  return !isTrusted || ((stat.mode & 0o002) !== 0 && (stat.mode & sticky) === 0)
}

/** Makes the error of a folder that belongs to another user. */
export function foreignFolder(folder: string): LocaldError {
  const folders = 'XDG_RUNTIME_DIR and XDG_DATA_HOME to folders of'
  const hint =
    callerUid() === 0 ? `Run locald without sudo, or set ${folders} root.` : `Remove it, or set ${folders} your own.`
  return unusable(`${folder} is not a folder of yours`, hint)
}

function unusable(message: string, hint: string): LocaldError {
  return new LocaldError('PATHS_UNUSABLE', message, { hint })
}
