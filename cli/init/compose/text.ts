import { readTextFile } from '../../../kernel/contract/text-file.ts'
import { LocaldError } from '../../../kernel/errors.ts'

/**
 * Reads a text file of at most 1 MiB; returns undefined where it does not exist. Throws CONFIG_UNREADABLE for one that
 * cannot be read or is not UTF-8.
 */
export async function readText(file: string): Promise<string | undefined> {
  const read = await readTextFile(file)
  if (read === undefined) return undefined
  const fault = 'fault' in read ? read.fault : read.isUtf8 ? undefined : 'is not UTF-8 text'
  if (fault === undefined && 'text' in read) return read.text
  throw new LocaldError('CONFIG_UNREADABLE', `${file}: ${fault}`, { hint: 'Correct the file, or remove it.' })
}
