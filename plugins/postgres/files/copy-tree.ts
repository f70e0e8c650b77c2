import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { access, chmod, lchown, mkdir, open, readdir, readlink, rename, rm, stat, symlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { systemCode } from '../../../kernel/errors.ts'
import { runProgram } from '../../lib/programs.ts'
import { cloneByProgram, copyOne, type FileCopy } from './clone.ts'
import { makeFolder } from './paths.ts'

/** A user of the machine. */
export interface Owner {
  readonly uid: number
  readonly gid: number
}

/** How a tree is copied. `skip` gets the path below the root, with slashes. */
export interface CopyOptions {
  /**
   * The owner of the folder itself. Its content keeps the daemon's user: changing it file by file takes as long as the
   * copy.
   */
  readonly owner?: Owner | undefined
  readonly signal?: AbortSignal | undefined
  skip?(path: string, isFolder: boolean): boolean
  /** Ignores files that vanish: a running server removes some. */
  readonly live?: boolean
  /** Clones files where Node cannot; the rest is copied file by file. */
  readonly clone?: typeof cloneByProgram
}

/** Files copied in parallel: Node's thread pool has four threads, and some of the work is waiting. */
const lanes = 8

/**
 * Copies a folder: as clones that share their blocks where the file system can (XFS, Btrfs, APFS), else byte by byte.
 * The target must not exist. Does not preserve hard links and special files: a cluster has none.
 */
export async function copyTree(from: string, to: string, options: CopyOptions = {}): Promise<void> {
  const files: FileCopy[] = []
  const links: FileCopy[] = []
  await walk('')
  if (options.owner !== undefined) await lchown(to, options.owner.uid, options.owner.gid)
  async function walk(path: string): Promise<void> {
    options.signal?.throwIfAborted()
    const source = join(from, path)
    const target = join(to, path)
    const entries = await readdir(source, { withFileTypes: true }).catch(ignoreVanished(options, []))
    if (path === '') makeFolder(target)
    else await mkdir(target)
    await chmod(target, (await stat(source)).mode & 0o777)
    for (const entry of entries) {
      const below = path === '' ? entry.name : `${path}/${entry.name}`
      if (options.skip?.(below, entry.isDirectory())) continue
      if (entry.isDirectory()) await walk(below)
      else if (entry.isFile()) files.push({ from: join(from, below), to: join(to, below) })
      else if (entry.isSymbolicLink()) links.push({ from: join(from, below), to: join(to, below) })
    }
  }
  const { clone = cloneByProgram } = options
  const left = [...(await clone(files, options.signal))]
  // Waits for all lanes before throwing the first failure, so that nothing is written to the target afterwards.
  const results = await Promise.allSettled(Array.from({ length: lanes }, drain))
  for (const result of results) if (result.status === 'rejected') throw result.reason
  async function drain(): Promise<void> {
    try {
      await drainAll()
    } catch (error) {
      left.length = 0
      links.length = 0
      throw error
    }
  }
  async function drainAll(): Promise<void> {
    for (let file = left.pop(); file !== undefined; file = left.pop()) {
      options.signal?.throwIfAborted()
      await copyOne(file).catch(ignoreVanished(options, undefined))
    }
    for (let link = links.pop(); link !== undefined; link = links.pop()) {
      const { from: source, to: target } = link
      await readlink(source)
        .then(leads => symlink(leads, target))
        .catch(ignoreVanished(options, undefined))
    }
  }
}

function ignoreVanished<T>({ live }: CopyOptions, instead: T): (error: unknown) => T {
  return error => {
    if (live === true && systemCode(error) === 'ENOENT') return instead
    throw error
  }
}

/**
 * Creates a folder atomically: `make` fills a temporary sibling, which is flushed and renamed. The final name must be
 * free. Throws what `make` throws, after removing the sibling.
 */
export async function placeFolder(final: string, make: (folder: string) => Promise<void>): Promise<void> {
  makeFolder(dirname(final))
  // Before a server is involved: it may crash on a read-only disk.
  await access(dirname(final), constants.W_OK)
  const folder = temporarySibling(final)
  try {
    await make(folder)
    await flush(folder)
    await rename(folder, final)
    await flushFolder(dirname(final))
  } catch (error) {
    // If this fails, the folder is swept later; the first failure is the one to report.
    await rm(folder, { recursive: true, force: true }).catch(() => {})
    throw error
  }
}

/** Removes a folder: renames it at once, then deletes its content. */
export async function removeFolder(folder: string): Promise<void> {
  const removed = temporarySibling(folder)
  try {
    await rename(folder, removed)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return
    throw error
  }
  await flushFolder(dirname(folder))
  await rm(removed, { recursive: true, force: true })
}

const unfinished = '.unfinished-'

/** Returns a name beside a folder for something incomplete, with the pid of its creator. */
function temporarySibling(folder: string): string {
  return `${folder}${unfinished}${process.pid}-${randomBytes(4).toString('hex')}`
}

/**
 * Removes what interrupted calls of `placeFolder` and `removeFolder` left in a folder. Not while one is running there.
 */
export async function sweepFolder(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => [])
  for (const name of names)
    if (name.includes(unfinished)) await rm(join(folder, name), { recursive: true, force: true })
}

/**
 * Removes the same from a folder that several daemons use: skips what running processes create. To be called before
 * this process creates anything there.
 */
export async function sweepShared(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => [])
  for (const name of names) {
    const [, clusterSetup] = /\.unfinished-(\d+)-/.exec(name) ?? []
    if (clusterSetup !== undefined && (Number(clusterSetup) === process.pid || !isAlive(Number(clusterSetup))))
      await rm(join(folder, name), { recursive: true, force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return systemCode(error) !== 'ESRCH'
  }
}

/** Returns whether a name in a folder is of something incomplete. */
export function isUnfinished(path: string): boolean {
  return basename(path).includes(unfinished)
}

/** A disk that takes longer has failed; unflushed data is lost only on power failure. ms */
const flushMs = 300_000

/** Flushes the file system of a folder: one call for all files (syncfs(2)), where `sync` has `-f`. */
async function flush(folder: string): Promise<void> {
  const { code } = await runProgram('sync', ['-f', folder], { timeoutMs: flushMs })
  if (code !== 0) await runProgram('sync', [], { timeoutMs: flushMs })
}

/** Flushes a folder's entries to the disk. */
export async function flushFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Returns the bytes of a folder's files, as `du` counts them: blocks shared with a clone count in each. */
export async function sizeOf(folder: string): Promise<number> {
  let bytes = 0
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => [])) {
    if (!entry.isFile()) continue
    const { blocks } = await stat(join(entry.parentPath, entry.name)).catch(() => ({ blocks: 0 }))
    bytes += blocks * 512
  }
  return bytes
}
