import { statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { LocaldError } from '../../../kernel/errors.ts'
import { sharesBlocks } from './clone.ts'
import { sizeOf } from './copy-tree.ts'

/** Space that must stay free beside a copy for the server's log: bytes, two segments. */
const headroom = 32 * 1024 * 1024

/**
 * Throws STEP_FAILED when the disk lacks space for a copy of a cluster: a full disk would crash the running server. A
 * file system that shares blocks needs none. `to` is the folder to be created.
 */
export async function requireFreeSpace(cluster: string, to: string): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(to))
  const free = bavail * bsize
  const needed = await sizeOf(cluster)
  if (free >= needed + headroom || (await sharesBlocks(join(cluster, 'global', 'pg_control'), `${to}-probe`))) return
  const message = `not enough space for a copy: ${megabytes(needed + headroom)} MB needed, ${megabytes(free)} MB free in ${dirname(to)}`
  throw new LocaldError('STEP_FAILED', message, { hint: 'Free some space, or remove snapshots and branches.' })
}

function megabytes(bytes: number): number {
  return Math.ceil(bytes / 1024 / 1024)
}
