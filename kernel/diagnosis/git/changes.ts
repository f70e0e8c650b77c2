import { createHash } from 'node:crypto'
import type { Stats } from 'node:fs'
import { lstat, readFile, readlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { statIfAny } from '../../system/stat.ts'
import { isInRepository, readHead } from './head.ts'
import { runGit } from './run.ts'

/** A file that differs from the commit that is checked out. Paths are relative to the project's folder. */
export interface EditedFile {
  readonly path: string
  /** When it was written, ms since the epoch; null: it was deleted. */
  readonly ms: number | null
  readonly isNew: boolean
}

/** A commit that has changed the project's folder. */
export interface CommitInfo {
  /** Its abbreviated hash. */
  readonly id: string
  readonly ms: number
  readonly subject: string
  readonly files: readonly string[]
}

/** What has changed in a project's folder, according to git. */
export interface GitChanges {
  /** Newest first. */
  readonly edited: readonly EditedFile[]
  /** Commits that are new since, newest first; files that differ between both commits. */
  readonly commits: readonly CommitInfo[]
  readonly committed: ReadonlySet<string>
  readonly isTracked: (path: string) => boolean
  /** The branches, if another one was checked out. */
  readonly branch: { readonly before: string; readonly now: string } | undefined
}

/** The time and the commit to compare with. */
export interface Since {
  readonly ms: number
  readonly head: string
  readonly branch: string
}

/** Larger repositories are not looked through: files. */
const mostFiles = 20_000
/** This many changed files are compared, up to this size: bytes. */
const mostCompared = 300
const largestCompared = 2 * 1024 * 1024
/** Commits that are read. */
const mostCommits = 20
/** Files that are examined at once; files that are not examined within this count as unchanged: ms. */
const atOnce = 64
const examinedMs = 1500

/**
 * Returns what has changed in a folder since a time and a commit. Files are found by the time of their last change, and
 * then compared by their content with what git has, without git, which would run the filters that a repository names.
 * `named`: paths that are looked at without a time, too.
 */
export async function readChanges(
  root: string,
  since: Since | undefined,
  named: readonly string[],
): Promise<GitChanges | undefined> {
  if (!isInRepository(root)) return undefined
  const [listed, others] = await Promise.all([
    runGit(root, ['ls-files', '-z', '--stage', '--cached']),
    runGit(root, ['ls-files', '-z', '--others', '--exclude-standard']),
  ])
  if (listed === undefined) return undefined
  const tracked = parseStage(listed)
  const fresh = (others ?? '').split('\0').filter(path => path !== '')
  const all = since === undefined ? named : [...named, ...tracked.keys(), ...fresh]
  const paths = [...new Set(all)].slice(0, mostFiles)
  const isNew = new Set(fresh)
  const stats = await eachOf(paths, async path => ({
    path,
    stats: await lstat(join(root, path)).catch(() => undefined),
  }))
  const changed = stats
    .filter(({ stats: it }) => it === undefined || it.ctimeMs > (since?.ms ?? 0))
    .slice(0, mostCompared)
  const edited = await eachOf(changed, async ({ path, stats: it }): Promise<readonly EditedFile[]> => {
    if (isNew.has(path)) return it === undefined ? [] : [{ path, ms: it.ctimeMs, isNew: true }]
    const known = tracked.get(path)
    if (known === undefined) return []
    if (it === undefined) return (await isLongDeleted(root, path, since)) ? [] : [{ path, ms: null, isNew: false }]
    return (await isSame(join(root, path), it, known)) ? [] : [{ path, ms: it.ctimeMs, isNew: false }]
  })
  return {
    edited: edited.flat().sort((a, b) => (b.ms ?? Number.POSITIVE_INFINITY) - (a.ms ?? Number.POSITIVE_INFINITY)),
    isTracked: path => tracked.has(path),
    ...(await readHistory(root, since)),
  }
}

async function readHistory(
  root: string,
  since: Since | undefined,
): Promise<Pick<GitChanges, 'commits' | 'committed' | 'branch'>> {
  const now = readHead(root)
  const isOther = since !== undefined && since.head !== '' && now !== undefined && now.commit !== since.head
  if (!isOther) return { commits: [], committed: new Set(), branch: undefined }
  const range = `${since.head}..${now.commit}`
  const plain = ['--name-only', '--relative', '--no-renames', '--no-ext-diff', '--no-textconv', '-z']
  const [files, log] = await Promise.all([
    runGit(root, ['diff', ...plain, '--ignore-submodules', since.head, now.commit, '--', '.']),
    runGit(root, ['log', ...plain, '--format=%x01%h%x02%ct%x02%s%x02', `-n${mostCommits}`, range, '--', '.']),
  ])
  const isSwitched = since.branch !== '' && now.branch !== '' && since.branch !== now.branch
  return {
    commits: parseLog(log ?? ''),
    committed: new Set((files ?? '').split('\0').filter(path => path !== '')),
    branch: isSwitched ? { before: since.branch, now: now.branch } : undefined,
  }
}

/** Reads `ls-files --stage -z`: mode, object, stage and path of each file. */
function parseStage(text: string): ReadonlyMap<string, string> {
  const files = new Map<string, string>()
  for (const entry of text.split('\0')) {
    const [, object, path] = /^\d+ ([0-9a-f]+) \d\t(.+)$/s.exec(entry) ?? []
    // A submodule has no content of its own.
    if (object !== undefined && path !== undefined && !entry.startsWith('160000')) files.set(path, object)
  }
  return files
}

function parseLog(text: string): readonly CommitInfo[] {
  return text
    .split('\u0001')
    .slice(1)
    .map(entry => {
      const [id = '', seconds = '', subject = '', rest = ''] = entry.split('\u0002')
      const files = rest.split(/[\0\n]/).filter(path => path !== '')
      return { id, ms: Number(seconds) * 1000, subject: subject.replace(/\p{Cc}/gu, '').slice(0, 80), files }
    })
}

/** Whether a missing file was missing before: the nearest folder that exists has not changed since. */
async function isLongDeleted(root: string, path: string, since: Since | undefined): Promise<boolean> {
  if (since === undefined) return false
  for (let at = dirname(join(root, path)); at.startsWith(root); at = dirname(at)) {
    const stats = await statIfAny(at)
    if (stats !== undefined) return stats.ctimeMs <= since.ms
  }
  return false
}

/** Whether a file has the content of an object (git-hash-object(1)), apart from filters. */
async function isSame(file: string, stats: Stats, object: string): Promise<boolean> {
  if (stats.isSymbolicLink()) return blobOf(Buffer.from(await readlink(file).catch(() => '')), object) === object
  if (!stats.isFile() || stats.size > largestCompared) return false
  const content = await readFile(file).catch(() => undefined)
  return content !== undefined && blobOf(content, object) === object
}

function blobOf(content: Buffer, like: string): string {
  const hash = createHash(like.length === 64 ? 'sha256' : 'sha1')
  return hash.update(`blob ${content.length}\0`).update(content).digest('hex')
}

/** Runs a step for each value, some at once, in order, as long as there is time. */
async function eachOf<T, R>(values: readonly T[], step: (value: T) => Promise<R>): Promise<R[]> {
  const untilMs = performance.now() + examinedMs
  const results: R[] = []
  for (let from = 0; from < values.length && performance.now() < untilMs; from += atOnce)
    results.push(...(await Promise.all(values.slice(from, from + atOnce).map(step))))
  return results
}
