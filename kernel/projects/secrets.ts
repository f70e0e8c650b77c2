import { resolve } from 'node:path'
import { parseDotenv } from '../config/dotenv.ts'
import { readTextFile } from '../contract/text-file.ts'
import { statIfAny } from '../system/stat.ts'

/** A shorter value stands in too many texts that have nothing to do with it. */
const minLength = 6
/** Values that everyone knows. */
const common = /^(?:development|production|staging|localhost|default|\d{1,7})$/i
/** A URL without a user, a password or a query. */
const plainUrl = /^[a-z][a-z0-9+.-]*:\/\/[^@?]*$/i

/**
 * Returns the values in the `.env` and `env_file` files of a project that a text for other people must not have. A
 * named pipe is not read: its program may ask the user first.
 */
export async function secretsIn(folder: string, envFiles: readonly string[]): Promise<readonly string[]> {
  const files = new Set(['.env', ...envFiles])
  const values = await Promise.all([...files].map(file => valuesIn(resolve(folder, file))))
  return [...new Set(values.flat())].filter(
    value => value.length >= minLength && !common.test(value) && !plainUrl.test(value),
  )
}

async function valuesIn(file: string): Promise<readonly string[]> {
  if ((await statIfAny(file).catch(() => undefined))?.isFile() !== true) return []
  const read = await readTextFile(file).catch(() => undefined)
  if (read === undefined || 'fault' in read) return []
  return [...parseDotenv(read.text).values()].flatMap(({ value }) => [value, ...passwordIn(value)])
}

/** Returns the password in a URL, as written and decoded. */
function passwordIn(value: string): readonly string[] {
  const password = URL.canParse(value) ? new URL(value).password : ''
  if (password === '') return []
  try {
    return [password, decodeURIComponent(password)]
  } catch {
    return [password]
  }
}
