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
  /** Who shall own the folder itself. What is in it is not given away, file by file: that takes as long as the copy. */
  readonly owner?: Owner | undefined
  readonly signal?: AbortSignal | undefined
  skip?(path: string, isFolder: boolean): boolean
  /** Files that vanish meanwhile are passed over: a running server removes some. */
  readonly live?: boolean
  /** Clones files where Node cannot; the rest is copied file by file. */
  readonly clone?: typeof cloneByProgram
}

/** Files copied side by side: Node's thread pool has four threads, and some of the work is waiting. */
const lanes = 8

/**
 * Copies a folder: as clones that share their blocks where the file system can (XFS, Btrfs, APFS), else byte by byte. The target
 * must not exist. Hard links and special files are not kept: a cluster has none.
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
  // All lanes come to their end before the first failure is thrown: nobody writes to the target after that.
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
 * Puts a folder in place whole or not at all: `make` fills a temporary sibling, which is written out and then renamed. The final
 * name must be free. Throws what `make` throws, after removing the sibling.
 */
export async function placeFolder(final: string, make: (folder: string) => Promise<void>): Promise<void> {
  makeFolder(dirname(final))
  // Before anything is asked of a server: on a read-only disk that could be the end of it.
  await access(dirname(final), constants.W_OK)
  const folder = temporarySibling(final)
  try {
    await make(folder)
    await flush(folder)
    await rename(folder, final)
    await flushFolder(dirname(final))
  } catch (error) {
    // What cannot be removed now is swept later; the first failure is the one to tell.
    await rm(folder, { recursive: true, force: true }).catch(() => {})
    throw error
  }
}

/** Takes a folder away at once, by its name; its contents go after that. */
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

/** A name beside a folder for what is not whole: it tells whose it is. */
function temporarySibling(folder: string): string {
  return `${folder}${unfinished}${process.pid}-${randomBytes(4).toString('hex')}`
}

/** Removes what an interrupted `placeFolder` or `removeFolder` left in a folder. Not while one is at work there. */
export async function sweepFolder(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => [])
  for (const name of names)
    if (name.includes(unfinished)) await rm(join(folder, name), { recursive: true, force: true })
}

/**
 * The same for a folder that several daemons may use: what a process that is still there makes is left alone. Before this process
 * makes anything there.
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

/** Whether a name in a folder is of something unfinished. */
export function isUnfinished(path: string): boolean {
  return basename(path).includes(unfinished)
}

/** A disk that takes longer has failed; what is not written then is lost only with the power. ms */
const flushMs = 300_000

/** Has the file system of a folder written to the disk: one call for all files (syncfs(2)), where `sync -f` is known. */
async function flush(folder: string): Promise<void> {
  const { code } = await runProgram('sync', ['-f', folder], { timeoutMs: flushMs })
  if (code !== 0) await runProgram('sync', [], { timeoutMs: flushMs })
}

/** Has a folder's names written to the disk. */
export async function flushFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Bytes of a folder's files, as `du` counts them: blocks shared with a clone count in each. */
export async function sizeOf(folder: string): Promise<number> {
  let bytes = 0
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => [])) {
    if (!entry.isFile()) continue
    const { blocks } = await stat(join(entry.parentPath, entry.name)).catch(() => ({ blocks: 0 }))
    bytes += blocks * 512
  }
  return bytes
}
