import { createHash } from 'node:crypto'
import type { Stats } from 'node:fs'
import { readTextFile } from '../lib/text-file.ts'

/** Returns a text that changes when a file is written or replaced, but not with its mode or an access. */
export function signatureOf({ mtimeMs, size, ino, dev }: Stats): string {
  return `${mtimeMs} ${size} ${ino} ${dev}`
}

/** Returns a text that changes with a file's content. Reads only regular files: a pipe can be read only once. */
export async function contentSignature(file: string, stats: Stats): Promise<string> {
  if (!stats.isFile()) return `${stats.mode} ${stats.ino} ${stats.dev}`
  const read = await readTextFile(file)
  // A file that is too large, or not UTF-8, is compared by size and time.
  if (read === undefined || 'fault' in read || !read.isUtf8) return signatureOf(stats)
  return createHash('sha1').update(read.text).digest('hex')
}
