import { statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { LocaldError } from '../../../kernel/errors.ts'
import { sharesBlocks } from './clone.ts'
import { sizeOf } from './copy-tree.ts'

/** What has to stay free beside a copy, as the server goes on writing its log: bytes, two segments. */
const headroom = 32 * 1024 * 1024

/**
 * Throws STEP_FAILED where the disk has no room for a copy of a cluster: filling it would take the running server down. A file system that
 * shares blocks needs none. `to` is the folder that is to be made.
 */
export async function requireFreeSpace(cluster: string, to: string): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(to))
  const free = bavail * bsize
  const needed = await sizeOf(cluster)
  if (free >= needed + headroom || (await sharesBlocks(join(cluster, 'global', 'pg_control'), `${to}-probe`))) return
  const message = `no room for a copy: it needs ${megabytes(needed + headroom)} MB, ${megabytes(free)} MB are free in ${dirname(to)}`
  throw new LocaldError('STEP_FAILED', message, { hint: 'Free some space, or drop snapshots and branches.' })
}

function megabytes(bytes: number): number {
  return Math.ceil(bytes / 1024 / 1024)
}
