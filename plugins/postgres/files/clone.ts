import { constants } from 'node:fs'
import { copyFile, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { systemCode } from '../../../kernel/errors.ts'
import { runProgram } from '../../lib/programs.ts'

/** A file to be copied; the copy has the same name in another folder. */
export interface FileCopy {
  readonly from: string
  readonly to: string
}

/** Whether Node clones a file there; `never`: it cannot on this system. Undefined: the file is missing. */
export type NodeClones = 'here' | 'elsewhere' | 'never' | undefined

/** The programs that clone files. Tests replace them. */
export interface CloneTools {
  readonly cp: string
  readonly mount: string
  readonly nodeClones: (file: FileCopy) => Promise<NodeClones>
}

/** macOS's own: GNU's `cp`, which has no -c, may be first on PATH. */
const macTools: CloneTools = { cp: '/bin/cp', mount: '/sbin/mount', nodeClones }

/** Files in one run: arguments may be 1 MiB in all, a path 1024 bytes (ARG_MAX and PATH_MAX of macOS). */
const mostFiles = 256

/** Copies a file: as a clone where Node can (XFS, Btrfs), else byte by byte. */
export function copyOne({ from, to }: FileCopy): Promise<void> {
  return copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
}

/**
 * Clones files where only a program of the system can. Returns the files that have no copy yet. Rejects when aborted.
 */
export async function cloneByProgram(
  files: readonly FileCopy[],
  signal: AbortSignal | undefined,
  tools: CloneTools = macTools,
): Promise<readonly FileCopy[]> {
  for (const file of files) {
    const clones = await tools.nodeClones(file)
    // A running server may have removed it.
    if (clones === undefined) continue
    if (clones !== 'never') return files
    break
  }
  const rest: FileCopy[] = []
  for (const batch of batches(files)) {
    signal?.throwIfAborted()
    rest.push(...(await cloneBatch(batch, signal, tools)))
  }
  return rest
}

/** Returns whether a copy of a file would share its blocks. Creates a file at `probe` for a moment. */
export async function sharesBlocks(from: string, probe: string, tools: CloneTools = macTools): Promise<boolean> {
  const clones = await tools.nodeClones({ from, to: probe })
  return clones === 'never' ? isWithinApfs(from, dirname(probe), tools) : clones === 'here'
}

/** Returns whether copies within a folder share their blocks; undefined when the folder is not writable. */
export async function hasClones(folder: string, tools: CloneTools = macTools): Promise<boolean | undefined> {
  const probeFolder = await mkdtemp(join(folder, '.clones-')).catch(() => undefined)
  if (probeFolder === undefined) return undefined
  try {
    const file = join(probeFolder, 'file')
    await writeFile(file, 'a block')
    return await sharesBlocks(file, join(probeFolder, 'probe'), tools)
  } catch {
    return undefined
  } finally {
    await rm(probeFolder, { recursive: true, force: true })
  }
}

/**
 * Node on macOS has no clones: libuv supports Linux's alone, and returns ENOSYS (uv__fs_copyfile of libuv 1.52,
 * src/unix/fs.c).
 */
async function nodeClones({ from, to }: FileCopy): Promise<NodeClones> {
  try {
    await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE)
    return 'here'
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT') return undefined
    return code === 'ENOSYS' ? 'never' : 'elsewhere'
  } finally {
    await rm(to, { force: true })
  }
}

function batches(files: readonly FileCopy[]): readonly (readonly FileCopy[])[] {
  const byFolder = new Map<string, FileCopy[]>()
  for (const file of files) {
    const folder = dirname(file.to)
    const known = byFolder.get(folder)
    if (known === undefined) byFolder.set(folder, [file])
    else known.push(file)
  }
  return [...byFolder.values()].flatMap(all =>
    Array.from({ length: Math.ceil(all.length / mostFiles) }, (_, at) =>
      all.slice(at * mostFiles, (at + 1) * mostFiles),
    ),
  )
}

/**
 * Clones files by `cp -c`, which uses clonefile(2): all or nothing. Where the file system has no clones it copies byte
 * by byte (file_cmds-457, cp/utils.c copy_file), which may stop halfway.
 */
async function cloneBatch(
  files: readonly FileCopy[],
  signal: AbortSignal | undefined,
  { cp }: CloneTools,
): Promise<readonly FileCopy[]> {
  const [first] = files
  if (first === undefined) return []
  const args = ['-c', '-p', '--', ...files.map(({ from }) => from), dirname(first.to)]
  const { code, stderr } = await runProgram(cp, args, { env: { ...process.env, LC_ALL: 'C' }, signal })
  signal?.throwIfAborted()
  if (code === 0) return []
  const problems = stderr.split('\n').filter(line => line !== '')
  const isMissing = (line: string) => line.endsWith(': No such file or directory')
  const isOnlyMissing = problems.length > 0 && problems.every(isMissing)
  if (!isOnlyMissing) await Promise.all(files.map(({ to }) => rm(to, { force: true })))
  const present = await Promise.all(files.map(({ to }) => stat(to).catch(() => undefined)))
  return files.filter((_, at) => present[at] === undefined)
}

/** mount(8) does not access the file systems. ms */
const mountMs = 5000

/** Returns whether both paths are on one APFS volume: macOS clones within a volume, and on APFS alone. */
async function isWithinApfs(from: string, to: string, { mount }: CloneTools): Promise<boolean> {
  const devices = await Promise.all([from, to].map(path => stat(path).then(({ dev }) => dev)))
  if (devices[0] !== devices[1]) return false
  const { code, stdout } = await runProgram(mount, [], { timeoutMs: mountMs })
  const text = code === 0 ? stdout : ''
  // `/dev/disk3s5 on /System/Volumes/Data (apfs, local, journaled, nobrowse)` (mount(8))
  const points = [...text.matchAll(/ on (\/.*) \(apfs[,)]/g)].map(([, point = '']) => point)
  const found = await Promise.all(points.map(point => stat(point).catch(() => undefined)))
  return found.some(it => it?.dev === devices[0])
}
