import { resolve } from 'node:path'
import { parseDotenv } from '../lib/dotenv.ts'
import { readTextFile } from '../lib/text-file.ts'
import { isGuessable, passwordsIn } from '../services/environment/masking.ts'
import { statIfAny } from '../system/stat.ts'

/** A URL without a user, a password or a query. */
const plainUrl = /^[a-z][a-z0-9+.-]*:\/\/[^@?]*$/i

/**
 * Returns the values in the `.env` and `env_file` files of a project that a text for other people must not have. A
 * named pipe is not read: its program may ask the user first.
 */
export async function secretsIn(folder: string, envFiles: readonly string[]): Promise<readonly string[]> {
  const files = new Set(['.env', ...envFiles])
  const values = await Promise.all([...files].map(file => valuesIn(resolve(folder, file))))
  return [...new Set(values.flat())].filter(value => !isGuessable(value) && !plainUrl.test(value))
}

async function valuesIn(file: string): Promise<readonly string[]> {
  if ((await statIfAny(file).catch(() => undefined))?.isFile() !== true) return []
  const read = await readTextFile(file).catch(() => undefined)
  if (read === undefined || 'fault' in read) return []
  return [...parseDotenv(read.text).values()].flatMap(({ value }) => [value, ...passwordsIn(value)])
}
