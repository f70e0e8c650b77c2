import { statSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import type { GitWorktree } from '../contract/plugin.ts'
import { realPathIfAny } from '../lib/real-path.ts'
import { readTextFileNow } from '../lib/text-file.ts'

/**
 * Returns the branch of the linked git worktree that a folder is in, as a DNS label (detached: the worktree's own
 * name); undefined in a main checkout or outside git. Reads git's files (gitrepository-layout(5)) without running git.
 */
export function worktreeBranch(folder: string): string | undefined {
  const link = gitLink(folder)
  const gitDir = link && worktreeOf(link)
  return gitDir === undefined ? undefined : slugOf(branchIn(gitDir) ?? basename(gitDir))
}

/** Returns the branch that a linked git worktree is on, as git names it; undefined where it is on none. */
export function branchIn(gitDir: string): string | undefined {
  const head = readTextFileNow(join(gitDir, 'HEAD')) ?? ''
  return /^ref: refs\/heads\/(.+)$/m.exec(head)?.[1]
}

/** Whether a folder is the root of a linked git worktree. */
export function isWorktree(folder: string): boolean {
  const link = linkAt(folder)
  return link !== undefined && worktreeOf(link) !== undefined
}

/**
 * Returns what is known of the linked git worktree that a folder is in; undefined in a main checkout, a submodule or
 * outside git.
 */
export function worktreeIn(folder: string): GitWorktree | undefined {
  const link = gitLink(folder)
  const gitDir = link && worktreeOf(link)
  if (link === undefined || gitDir === undefined) return undefined
  const git = ownerOf(link)
  const main = git !== undefined && basename(git) === '.git' ? dirname(git) : undefined
  const mainCheckout = main && realPathIfAny(join(main, relative(dirname(link.file), folder)))
  return { gitDir, ...(mainCheckout === undefined ? {} : { mainCheckout }) }
}

/**
 * Returns the repository that a folder is a checkout of, as the path of its `.git` folder; undefined outside git. A
 * worktree counts only if the repository lists it as well: anyone can write a `.git` file that names another
 * repository.
 */
export function repositoryOf(folder: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    const link = linkAt(at)
    if (link !== undefined) return ownerOf(link)
    const git = join(at, '.git')
    if (isFolder(git)) return realPathIfAny(git)
    if (at === dirname(at)) return undefined
  }
}

/** The longest DNS label (RFC 1035, 2.3.4). */
export const longestLabel = 63
/** A branch's label leaves room for a prefix and a suffix. */
const longestSlug = 40

/**
 * Converts a text to one DNS label of at most 40 characters. Accents are dropped, whether the file system composes
 * letters or not.
 */
export function slugOf(text: string): string {
  const slug = text
    .normalize('NFD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, longestSlug)
    .replaceAll(/^-+|-+$/g, '')
  return slug === '' ? 'copy' : slug
}

interface GitLink {
  readonly file: string
  readonly text: string
}

/** Returns git's own folder of a linked worktree; undefined for other links: a submodule's leads to `.git/modules`. */
function worktreeOf({ file, text }: GitLink): string | undefined {
  const [, target] = /^gitdir: (.+)$/m.exec(text) ?? []
  if (target === undefined) return undefined
  const gitDir = resolve(dirname(file), target.trim())
  return basename(dirname(gitDir)) === 'worktrees' ? gitDir : undefined
}

function ownerOf(link: GitLink): string | undefined {
  const gitDir = worktreeOf(link)
  const back = gitDir === undefined ? undefined : readTextFileNow(join(gitDir, 'gitdir'))
  if (gitDir === undefined || back === undefined) return undefined
  const isKnown = realPathIfAny(resolve(gitDir, back.trim())) === realPathIfAny(link.file)
  return isKnown ? realPathIfAny(dirname(dirname(gitDir))) : undefined
}

/** Returns the `.git` file at or above a folder; undefined where a `.git` folder comes first. */
function gitLink(folder: string): GitLink | undefined {
  for (let at = folder; ; at = dirname(at)) {
    const link = linkAt(at)
    if (link !== undefined || at === dirname(at)) return link
    if (isFolder(join(at, '.git'))) return undefined
  }
}

function linkAt(folder: string): GitLink | undefined {
  const file = join(folder, '.git')
  const text = readTextFileNow(file)
  return text === undefined ? undefined : { file, text }
}

/**
 * Whether a path is a folder. No error is thrown: the path may lead through a file or a circle of links, or be too
 * long.
 */
function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}
