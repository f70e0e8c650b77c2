import { createHash } from 'node:crypto'
import type { Stats } from 'node:fs'
import { readTextFile } from '../contract/text-file.ts'

/** What changes when a file is written or replaced, and not by its mode or an access. */
export function signatureOf({ mtimeMs, size, ino, dev }: Stats): string {
  return `${mtimeMs} ${size} ${ino} ${dev}`
}

/** What changes when the content of a file does. What is no regular file is never read: a pipe gives its text only once. */
export async function contentSignature(file: string, stats: Stats): Promise<string> {
  if (!stats.isFile()) return `${stats.mode} ${stats.ino} ${stats.dev}`
  const read = await readTextFile(file)
  // What is too large or no text is compared by its size and time.
  if (read === undefined || 'fault' in read || !read.isUtf8) return signatureOf(stats)
  return createHash('sha1').update(read.text).digest('hex')
}
