import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { systemCode } from '../errors.ts'
import { createFolder } from './create-folder.ts'

/** How a file is written. */
export interface WriteOptions {
  /** Whether it is on the disk when the call returns; default: true. */
  readonly durable?: boolean
  /** Its permissions, independent of the umask; default: 0600, less the umask. */
  readonly mode?: number
  /** Its owner and group; default: the caller's. */
  readonly owner?: { readonly uid: number; readonly gid: number }
  /** Called when all is written, before the file is replaced: what it throws keeps the present one. */
  readonly beforeReplace?: () => void
}

/**
 * Writes a file whole or not at all: to a temporary file in the same folder, which is fsynced and renamed. Synchronous,
 * so that two writes of one daemon never interleave.
 */
export function writeAtomic(file: string, text: string, options: WriteOptions = {}): void {
  const { durable = true, mode, owner, beforeReplace } = options
  createFolder(dirname(file), 0o700)
  const temporary = `${file}.${randomBytes(4).toString('hex')}.tmp`
  try {
    const descriptor = openSync(temporary, 'wx', 0o600)
    try {
      for (let rest = Buffer.from(text); rest.length > 0; ) rest = rest.subarray(writeSync(descriptor, rest))
      if (owner !== undefined) fchownSync(descriptor, owner.uid, owner.gid)
      // Not for the default: some disks have no permissions to set.
      if (mode !== undefined) fchmodSync(descriptor, mode)
      if (durable) fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
    beforeReplace?.()
    renameSync(temporary, file)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

/**
 * Makes a private folder. Anything else at its path is renamed; returns its new path, or undefined where nothing was in
 * the way.
 */
export function makeFolder(folder: string): string | undefined {
  const isThere = statSync(folder, { throwIfNoEntry: false })
  const aside = isThere === undefined || isThere.isDirectory() ? undefined : `${folder}.damaged-${Date.now()}`
  if (aside !== undefined) renameSync(folder, aside)
  createFolder(folder, 0o700)
  return aside
}

/** The largest file that locald writes, in bytes. */
const sizeLimit = 64 * 1024 * 1024

/**
 * Reads a file of locald's own. Throws the system's errors, and an Error, without blocking, for one that is too large
 * or not a regular file.
 */
export function readText(file: string): string {
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stat = fstatSync(descriptor)
    if (!stat.isFile() || stat.size > sizeLimit) throw new Error('is not a regular file of at most 64 MiB')
    return readFileSync(descriptor, 'utf8')
  } finally {
    closeSync(descriptor)
  }
}

/**
 * Reads a JSON file; returns undefined where it does not exist. Throws SyntaxError where it is not JSON, and the errors
 * of `readText`.
 */
export function readJson(file: string): unknown {
  try {
    return JSON.parse(readText(file))
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Returns the inode, which differs from that of a later file at the same path; undefined where nothing is there. */
export function inodeOf(path: string): number | undefined {
  try {
    return lstatSync(path).ino
  } catch {
    return undefined
  }
}
