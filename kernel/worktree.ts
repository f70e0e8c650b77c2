import { readFileSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'

/**
 * The branch of the linked git worktree a folder is in, as a DNS label (detached: the worktree's own name); undefined in a
 * main checkout or outside git. Reads git's files (gitrepository-layout(5)); runs nothing.
 */
export function worktreeBranch(folder: string): string | undefined {
  const link = gitLink(folder)
  if (link === undefined) return undefined
  const [, target] = /^gitdir: (.+)$/m.exec(link.text) ?? []
  if (target === undefined) return undefined
  const gitDir = resolve(dirname(link.file), target.trim())
  // A submodule's .git is a link too, but leads to .git/modules.
  if (basename(dirname(gitDir)) !== 'worktrees') return undefined
  const head = read(join(gitDir, 'HEAD')) ?? ''
  const [, branch] = /^ref: refs\/heads\/(.+)$/m.exec(head) ?? []
  return slugOf(branch ?? basename(gitDir))
}

/** The longest DNS label (RFC 1035, 2.3.4). */
export const longestLabel = 63
/** A branch's label leaves room for what is put before and behind it. */
const longestSlug = 40

/** A text as one DNS label of at most 40 characters. */
export function slugOf(text: string): string {
  const slug = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, longestSlug)
    .replaceAll(/^-+|-+$/g, '')
  return slug === '' ? 'copy' : slug
}

/** The `.git` file at or above a folder; undefined where a `.git` folder comes first. */
function gitLink(folder: string): { readonly file: string; readonly text: string } | undefined {
  for (let at = folder; ; at = dirname(at)) {
    const file = join(at, '.git')
    const stat = statSync(file, { throwIfNoEntry: false })
    if (stat?.isDirectory()) return undefined
    const text = stat?.isFile() ? read(file) : undefined
    if (text !== undefined) return { file, text }
    if (at === dirname(at)) return undefined
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
