import { Trust } from '../../../kernel/config/trust.ts'
import { readTextFile } from '../../../kernel/contract/text-file.ts'
import { LocaldError } from '../../../kernel/errors.ts'

/** Reads a text file; undefined where it does not exist. */
export type ReadText = (file: string) => Promise<string | undefined>

/**
 * Returns the reader of a project's files, of at most 1 MiB. It throws CONFIG_UNREADABLE for one that cannot be read or
 * is not UTF-8, and CONFIG_UNTRUSTED for another user's: commands in it would become the caller's own.
 */
export function textReader(root: string, shell: Readonly<NodeJS.ProcessEnv>, dataFolder: string): ReadText {
  const trust = new Trust({ shell, dataFolder })
  return async file => {
    const read = await readTextFile(file)
    if (read === undefined) return undefined
    if ('fault' in read) throw unreadable(file, read.fault)
    const refusal = trust.refusal(file, read.owners, root)
    if (refusal !== undefined)
      throw new LocaldError('CONFIG_UNTRUSTED', `${file}: ${refusal.message}`, { hint: refusal.hint })
    if (!read.isUtf8) throw unreadable(file, 'is not UTF-8 text')
    return read.text
  }
}

function unreadable(file: string, fault: string): LocaldError {
  return new LocaldError('CONFIG_UNREADABLE', `${file}: ${fault}`, { hint: 'Correct the file, or remove it.' })
}
