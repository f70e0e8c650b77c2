import { readFileSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'

/**
 * Where a folder of a linked git worktree is in the main checkout; undefined in a main checkout, in a submodule, with a bare
 * repository, or outside git. Reads git's files (gitrepository-layout(5)).
 */
export function mainCheckoutOf(folder: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    const file = join(at, '.git')
    const stat = statSync(file, { throwIfNoEntry: false })
    if (stat?.isFile()) return mapped(at, file, folder)
    if (stat !== undefined || at === dirname(at)) return undefined
  }
}

function mapped(root: string, link: string, folder: string): string | undefined {
  const [, target] = /^gitdir: (.+)$/m.exec(readFileSync(link, 'utf8')) ?? []
  if (target === undefined) return undefined
  const gitDir = resolve(root, target.trim())
  const common = dirname(dirname(gitDir))
  if (basename(dirname(gitDir)) !== 'worktrees' || basename(common) !== '.git') return undefined
  try {
    return realpathSync(join(dirname(common), relative(root, folder)))
  } catch {
    return undefined
  }
}
