import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { LocaldError, messageOf, systemCode } from '../../../kernel/errors.ts'
import { writeAtomic } from '../../lib/files.ts'

/** The absolute paths of one service. */
export interface ServicePaths {
  readonly data: string
  /** PGDATA. */
  readonly cluster: string
  /** A complete cluster that is about to become the one in use. */
  readonly next: string
  /** Prefix of the replaced cluster, before it becomes a snapshot; the snapshot's name follows. */
  readonly replaced: string
  readonly snapshots: string
  readonly passwordFile: string
  /** The servers that were started last: pids and start tokens. */
  readonly serverFile: string
  /** The unix socket's folder: mode 0700, and short. */
  readonly socket: string
}

/**
 * @param data the service's own folder
 * @param sockets locald's folder for sockets, which leaves 24 bytes for a socket's name: `/p/123456/.s.PGSQL.65535`
 */
export function servicePaths(data: string, sockets: string): ServicePaths {
  const hash = createHash('sha256').update(data).digest('base64url').slice(0, 6)
  return {
    data,
    cluster: join(data, 'cluster'),
    next: join(data, 'cluster.next'),
    replaced: join(data, 'cluster.replaced-'),
    snapshots: join(data, 'snapshots'),
    passwordFile: join(data, 'password'),
    serverFile: join(data, 'server.json'),
    socket: join(sockets, 'p', hash),
  }
}

/** Returns the service's password; the first call creates it, in a file that only the user can read. */
export function passwordOf({ passwordFile, data }: ServicePaths): string {
  try {
    const known = readFileSync(passwordFile, 'utf8').trim()
    if (known !== '') return known
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw diskError(data, error)
  }
  const made = randomBytes(16).toString('hex')
  try {
    makeFolder(data)
    writeAtomic(passwordFile, `${made}\n`)
  } catch (error) {
    throw diskError(data, error)
  }
  return made
}

/** Creates a folder like `mkdir -p`; Node's own fails with ENOENT on a read-only file system. */
export function makeFolder(folder: string): void {
  if (existsSync(folder)) return
  makeFolder(dirname(folder))
  mkdirSync(folder, { mode: 0o700 })
}

/** Returns whether an error is the disk's, and not that of the data on it. */
export function isDiskError(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM', 'EIO', 'ENOTDIR'].includes(systemCode(error) ?? '')
}

/** Returns an error of the disk with a hint. */
export function diskError(folder: string, error: unknown): LocaldError {
  const code = systemCode(error) ?? ''
  const hint = ['ENOSPC', 'EDQUOT'].includes(code)
    ? 'Free some space on that disk; the data was not changed.'
    : code === 'ENOTDIR'
      ? 'Move the file at that path: it must be a folder.'
      : 'Make that folder writable; the data in it was not changed.'
  return new LocaldError('STEP_FAILED', `${folder} cannot be used: ${messageOf(error)}`, { hint, cause: error })
}

/** Creates the socket's folder, which a reboot deletes. */
export async function makeSocketFolder({ socket }: ServicePaths): Promise<void> {
  await mkdir(socket, { recursive: true, mode: 0o700 })
}
