import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { systemCode } from '../errors.ts'

/** How a file is written. */
export interface WriteOptions {
  /** Whether it is on the disk when the call returns; default: true. */
  readonly durable?: boolean
  /** Its permissions, whatever the umask is; default: 0600, less the umask. */
  readonly mode?: number
}

/**
 * Writes a file that must survive: to a temporary file in the same folder, fsynced, renamed. Synchronous, so that two writes of one daemon
 * never cross.
 */
export function writeAtomic(file: string, text: string, { durable = true, mode }: WriteOptions = {}): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const temporary = `${file}.${randomBytes(4).toString('hex')}.tmp`
  try {
    const descriptor = openSync(temporary, 'wx', 0o600)
    try {
      for (let rest = Buffer.from(text); rest.length > 0; ) rest = rest.subarray(writeSync(descriptor, rest))
      // Not for the default: some disks have no permissions to set.
      if (mode !== undefined) fchmodSync(descriptor, mode)
      if (durable) fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
    renameSync(temporary, file)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

/** Makes a folder of ours, private to the user; what is in its place and no folder is put aside. Where it is now; undefined: nothing was. */
export function makeFolder(folder: string): string | undefined {
  const isThere = statSync(folder, { throwIfNoEntry: false })
  const aside = isThere === undefined || isThere.isDirectory() ? undefined : `${folder}.damaged-${Date.now()}`
  if (aside !== undefined) renameSync(folder, aside)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return aside
}

/** Bytes above which a file is none of ours. */
const sizeLimit = 64 * 1024 * 1024

/**
 * The text of a file of ours. Throws the system's errors, and an Error for what is no regular file or too large: neither is waited for or
 * read.
 */
export function readText(file: string): string {
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stat = fstatSync(descriptor)
    if (!stat.isFile() || stat.size > sizeLimit) throw new Error('it is not a regular file of at most 64 MiB')
    return readFileSync(descriptor, 'utf8')
  } finally {
    closeSync(descriptor)
  }
}

/** A JSON file's value; undefined when there is none. Throws SyntaxError when it is not JSON, and what `readText` throws. */
export function readJson(file: string): unknown {
  try {
    return JSON.parse(readText(file))
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/** What distinguishes a file from another one that gets its path; undefined where nothing is there. */
export function inodeOf(path: string): number | undefined {
  try {
    return lstatSync(path).ino
  } catch {
    return undefined
  }
}
