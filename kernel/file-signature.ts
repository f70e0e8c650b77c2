import { createHash } from 'node:crypto'
import type { Stats } from 'node:fs'
import { readFile } from 'node:fs/promises'

/** Larger files are compared by their size and time: bytes. */
const readLimit = 1024 * 1024

/** What changes when a file is written or replaced, and not by its mode or an access. */
export function signatureOf({ mtimeMs, size, ino, dev }: Stats): string {
  return `${mtimeMs} ${size} ${ino} ${dev}`
}

/** What changes when the content of a file does. What is no regular file is never read: a pipe gives its text only once. */
export async function contentSignature(file: string, stats: Stats): Promise<string> {
  if (!stats.isFile()) return `${stats.mode} ${stats.ino} ${stats.dev}`
  if (stats.size > readLimit) return signatureOf(stats)
  const content = await readFile(file).catch(() => undefined)
  return content === undefined ? 'unreadable' : createHash('sha1').update(content).digest('hex')
}
