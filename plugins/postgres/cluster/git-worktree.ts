import { existsSync, statSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { readTextFileNow, realPathNow } from '../../../kernel/contract/plugin.ts'

/**
 * Where a folder of a linked git worktree is in the main checkout; undefined in a main checkout, in a submodule, with a bare
 * repository, or outside git. Reads git's files (gitrepository-layout(5)).
 */
export function mainCheckoutOf(folder: string): string | undefined {
  const root = checkoutOf(folder)
  return root && mapped(root, folder)
}

/** Whether a folder is the root of a linked git worktree. */
export function isWorktree(folder: string): boolean {
  return gitDirOf(folder) !== undefined
}

/** Where git keeps what it knows of the linked worktree that a folder is in; undefined where it is in none. */
export function worktreeOf(folder: string): string | undefined {
  const root = checkoutOf(folder)
  return root && gitDirOf(root)
}

/** When the folder in which git keeps what it knows of a worktree was made, ms since the epoch; null where the file system does not say. */
export function madeMsOf(worktree: string): number | null {
  try {
    const { birthtimeMs, ctimeMs } = statSync(worktree)
    // What has no such time shows another's, or none.
    return birthtimeMs > 0 && birthtimeMs !== ctimeMs ? birthtimeMs : null
  } catch {
    return null
  }
}

/** The root of the checkout a folder is in. */
function checkoutOf(folder: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, '.git'))) return at
    if (at === dirname(at)) return undefined
  }
}

/** Where git keeps what it knows of the linked worktree whose root a folder is. */
function gitDirOf(root: string): string | undefined {
  const [, target] = /^gitdir: (.+)$/m.exec(readTextFileNow(join(root, '.git')) ?? '') ?? []
  if (target === undefined) return undefined
  const gitDir = resolve(root, target.trim())
  return basename(dirname(gitDir)) === 'worktrees' ? gitDir : undefined
}

function mapped(root: string, folder: string): string | undefined {
  const gitDir = gitDirOf(root)
  const common = gitDir && dirname(dirname(gitDir))
  if (gitDir === undefined || common === undefined || basename(common) !== '.git') return undefined
  try {
    // Anyone can write a `.git` file that names another's repository: the repository must know the worktree, too.
    const back = readTextFileNow(join(gitDir, 'gitdir'))
    if (back === undefined || realPathNow(resolve(gitDir, back.trim())) !== realPathNow(join(root, '.git')))
      return undefined
    return realPathNow(join(dirname(common), relative(root, folder)))
  } catch {
    return undefined
  }
}
