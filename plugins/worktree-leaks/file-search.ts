import { readdir, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { readTextFile } from '../../kernel/contract/plugin.ts'

/** Files that are read at most, and the size of a file that is read: bytes. */
const maxFiles = 2000
const maxBytes = 128 * 1024

/** Folders of packages and of what builds make. */
const skipped: ReadonlySet<string> = new Set(['node_modules', 'dist', 'build', 'target', 'vendor', 'coverage'])
const searched =
  /^\.env|\.(?:[cm]?[jt]sx?|vue|svelte|html?|json|toml|ya?ml|ini|conf|py|rb|php|go|rs|ex|exs|java|kt|sh)$/i

/**
 * Finds the first place in a project's files that matches, as `src/api.ts:12`: `.env` files come first, then those
 * nearest to the top. Undefined where none of the files that are read has it.
 */
export async function findInFiles(root: string, pattern: RegExp): Promise<string | undefined> {
  let left = maxFiles
  for (let folders = [root]; folders.length > 0 && left > 0; ) {
    const next: string[] = []
    for (const folder of folders) {
      const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
      const sorted = entries.toSorted((a, b) => a.name.localeCompare(b.name, 'en'))
      for (const entry of sorted) {
        const path = join(folder, entry.name)
        if (entry.isDirectory() && !skipped.has(entry.name) && !entry.name.startsWith('.')) next.push(path)
        if (!entry.isFile() || !searched.test(entry.name) || left-- <= 0) continue
        const line = await lineOf(path, pattern)
        if (line !== undefined) return `${relative(root, path)}:${line}`
      }
    }
    folders = next
  }
  return undefined
}

async function lineOf(file: string, pattern: RegExp): Promise<number | undefined> {
  const info = await stat(file).catch(() => undefined)
  if (info === undefined || info.size > maxBytes) return undefined
  const read = await readTextFile(file)
  if (read === undefined || 'fault' in read) return undefined
  const index = read.text.split('\n').findIndex(line => pattern.test(line))
  return index === -1 ? undefined : index + 1
}
