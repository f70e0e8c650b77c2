import { statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { readTextFileNow } from '../../lib/text-file.ts'

/** What a repository has checked out. */
export interface Head {
  readonly commit: string
  /** Empty: detached. */
  readonly branch: string
}

/** bytes */
const largestPackedRefs = 4 * 1024 * 1024
const object = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/

/**
 * Reads the commit that is checked out in the repository of a folder, from git's files (gitrepository-layout(5))
 * without running git; undefined outside git, and where the references are in another format.
 */
export function readHead(folder: string): Head | undefined {
  const gitDir = gitFolderOf(folder)
  if (gitDir === undefined) return undefined
  const head = readTextFileNow(join(gitDir, 'HEAD'))?.trim() ?? ''
  if (object.test(head)) return { commit: head, branch: '' }
  const [, ref, branch] = /^ref: (refs\/heads\/([^\s~^:?*[\\]+))$/.exec(head) ?? []
  if (ref === undefined || branch === undefined || ref.split('/').some(part => part === '..' || part === ''))
    return undefined
  const common = resolve(gitDir, readTextFileNow(join(gitDir, 'commondir'))?.trim() || '.')
  const commit = readTextFileNow(join(common, ref))?.trim() ?? findPacked(common, ref)
  return commit !== undefined && object.test(commit) ? { commit, branch } : undefined
}

/** Whether a folder is in a checkout. */
export function isInRepository(folder: string): boolean {
  return gitFolderOf(folder) !== undefined
}

function gitFolderOf(folder: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    const git = join(at, '.git')
    if (statSync(git, { throwIfNoEntry: false })?.isDirectory()) return git
    const [, target] = /^gitdir: (.+)$/m.exec(readTextFileNow(git) ?? '') ?? []
    if (target !== undefined) return resolve(at, target.trim())
    if (at === dirname(at)) return undefined
  }
}

function findPacked(common: string, ref: string): string | undefined {
  const refs = readTextFileNow(join(common, 'packed-refs'), largestPackedRefs)
  const line = refs?.split('\n').find(it => it.endsWith(` ${ref}`))
  return line?.split(' ')[0]
}
