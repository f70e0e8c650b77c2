import { createHash, randomBytes } from 'node:crypto'
import {
  chownSync,
  closeSync,
  fchmodSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { LocaldError } from '../../kernel/errors.ts'

/* Writes files as root: the little of locald that runs as root. Every path is one of `HelperPaths`. */

/** Returns the SHA-256 of a file, in hex; undefined when it cannot be read. */
export function digestOf(path: string): string | undefined {
  try {
    return sha256(readFileSync(path))
  } catch {
    return undefined
  }
}

export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/**
 * Whether only root could put anything at a path: each folder on the way that exists is root's, is no link, and only
 * root may write to it. The helper applies the same rule to its own path (shim/root-path.c).
 */
export function isRootOnly(path: string): boolean {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const info = lstatSync(folder, { throwIfNoEntry: false })
    if (info !== undefined) {
      const groupWrites = (info.mode & 0o020) !== 0 && info.gid !== 0
      if (!info.isDirectory() || info.uid !== 0 || (info.mode & 0o002) !== 0 || groupWrites) return false
    }
    if (folder === dirname(folder)) return true
  }
}

/** Creates a folder of root's that others may read, with its parents. */
function makeFolder(path: string): void {
  const mask = process.umask(0o022)
  try {
    mkdirSync(path, { recursive: true, mode: 0o755 })
  } finally {
    process.umask(mask)
  }
}

/**
 * Writes a file of root's atomically, with the folders to it: a draft beside it is synced, compared, `prepare`d,
 * renamed. Throws SHIM_FAILED when the draft has other contents than were written.
 */
export function writeRootFile(
  path: string,
  bytes: Buffer,
  mode: number,
  prepare: (draft: string) => void = () => {},
): void {
  makeFolder(dirname(path))
  const draft = join(dirname(path), `.${randomBytes(6).toString('hex')}`)
  try {
    const fd = openSync(draft, 'wx', 0o600)
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at)
      chownSync(draft, 0, 0)
      fsyncSync(fd)
      if (digestOf(draft) !== sha256(bytes)) {
        throw new LocaldError('SHIM_FAILED', `writing ${path} failed: its contents differ from what was written`)
      }
      fchmodSync(fd, mode)
    } finally {
      closeSync(fd)
    }
    prepare(draft)
    renameSync(draft, path)
  } finally {
    rmSync(draft, { force: true })
  }
}
