import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parseDotenv } from '../../kernel/lib/dotenv.ts'
import { statIfAny } from '../../kernel/system/stat.ts'

/** locald reads no larger file of variables. */
const largest = 1024 * 1024

/** The names and values in a file of variables, by name. */
export type Variables = ReadonlyMap<string, string>

/** Reads a file of variables. Undefined where it is no regular file: a pipe serves each reader only once. */
export async function readVariables(root: string, file: string): Promise<Variables | undefined> {
  const path = resolve(root, file)
  const stat = await statIfAny(path)
  if (stat === undefined || !stat.isFile() || stat.size > largest) return undefined
  const entries = parseDotenv(await readFile(path, 'utf8'))
  return new Map([...entries].map(([name, { value }]) => [name, value]))
}
