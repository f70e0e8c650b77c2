import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { readText } from '../../kernel/config/sources/read.ts'
import { Trust } from '../../kernel/config/trust/trust.ts'
import { LocaldError, messageOf, systemCode } from '../../kernel/errors.ts'
import { realPathNow } from '../../kernel/lib/real-path.ts'
import { writeAtomic } from '../../kernel/system/files.ts'

/** The `locald.toml` of a folder as it was read, to be written with changes. */
export interface ProjectFile {
  readonly folder: string
  readonly file: string
  /** Undefined where there is no file. */
  readonly present: Present | undefined
}

/** A file that exists. */
interface Present {
  /** The file itself, where the path is a link. */
  readonly target: string
  readonly bytes: Buffer
  /** With its byte order mark. */
  readonly text: string
  readonly stat: Stats
}

/**
 * Reads the `locald.toml` of a folder. Throws CONFIG_UNREADABLE for what is no text file, such as a pipe, and
 * CONFIG_UNTRUSTED for another user's.
 */
export async function readProjectFile(folder: string, dataFolder: string): Promise<ProjectFile> {
  const file = join(folder, 'locald.toml')
  const trust = new Trust({ shell: process.env, dataFolder })
  const isThere = (await readText(file, { trust, root: folder })) !== undefined
  return { folder, file, present: isThere ? readPresent(file) : undefined }
}

/**
 * Writes the file whole or not at all, with the mode and owner it had. Throws EDIT_FAILED where that is impossible, and
 * where the file has changed since it was read.
 */
export function writeProjectFile({ file, present }: ProjectFile, text: string): void {
  try {
    if (present === undefined) {
      writeAtomic(file, text, {
        durable: false,
        mode: 0o666 & ~process.umask(),
        beforeReplace: () => requireNone(file),
      })
      return
    }
    const { target, bytes, stat } = present
    const { uid, gid } = stat
    writeAtomic(target, text, {
      mode: stat.mode & 0o7777,
      owner: { uid, gid },
      beforeReplace() {
        const now = readPresent(file)
        if (now?.target !== target || !now.bytes.equals(bytes)) throw changed(file)
      },
    })
  } catch (error) {
    if (LocaldError.is(error)) throw error
    const isForeign = systemCode(error) === 'EPERM' && present !== undefined
    const reason = isForeign ? 'the caller cannot keep its owner' : messageOf(error)
    throw new LocaldError('EDIT_FAILED', `${file} cannot be written: ${reason}`, {
      hint: 'Run the command as the owner of the file and of its folder.',
      cause: error,
    })
  }
}

function readPresent(file: string): Present | undefined {
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stat = fstatSync(descriptor)
    if (!stat.isFile()) return undefined
    const bytes = readFileSync(descriptor)
    const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
    return { target: realPathNow(file), bytes, text, stat }
  } finally {
    closeSync(descriptor)
  }
}

function requireNone(file: string): void {
  try {
    realPathNow(file)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return
    throw error
  }
  throw changed(file)
}

function changed(file: string): LocaldError {
  return new LocaldError('EDIT_FAILED', `${file} was changed by another program at the same time`, {
    hint: 'Run the command again.',
  })
}
