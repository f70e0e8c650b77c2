import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { parse, TomlError } from 'smol-toml'
import { LocaldError, systemCode } from '../errors.ts'
import type { Table } from './table.ts'

/** Bytes above which no configuration file is read. */
export const sizeLimit = 1024 * 1024

/** Nesting above which no TOML file is read, so that nothing that walks it can overflow. */
const depthLimit = 64

/** A regular file's text and the uid of its owner. */
export interface FileText {
  readonly text: string
  readonly owner: number
}

/**
 * A small UTF-8 text file, without its byte order mark; undefined where there is none. CONFIG_UNREADABLE, naming the file:
 * no permission, a folder or device or pipe (never waited for), over 1 MiB, not UTF-8.
 */
export async function readText(file: string): Promise<FileText | undefined> {
  let handle: FileHandle
  try {
    // O_NONBLOCK: opening a FIFO without a writer would otherwise wait for ever.
    handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw unreadable(file, reasons[code ?? ''] ?? `it cannot be read (${code ?? 'unknown error'})`, error)
  }
  try {
    return await readOpen(file, handle)
  } catch (error) {
    throw LocaldError.is(error)
      ? error
      : unreadable(file, `it cannot be read (${systemCode(error) ?? 'unknown error'})`, error)
  } finally {
    await handle.close()
  }
}

const folder = 'it is a folder'

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'no permission to read it',
  EPERM: 'no permission to read it',
  ELOOP: 'its symbolic links go in a circle',
  ENXIO: 'it is not a regular file',
}

async function readOpen(file: string, handle: FileHandle): Promise<FileText> {
  const stat = await handle.stat()
  if (stat.isDirectory()) throw unreadable(file, folder)
  if (!stat.isFile()) throw unreadable(file, 'it is not a regular file')
  if (stat.size > sizeLimit) throw unreadable(file, 'it is larger than 1 MiB')
  const bytes = await handle.readFile()
  if (bytes.length > sizeLimit) throw unreadable(file, 'it is larger than 1 MiB')
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes), owner: stat.uid }
  } catch (error) {
    throw unreadable(file, 'it is not UTF-8 text', error)
  }
}

function unreadable(file: string, reason: string, cause?: unknown): LocaldError {
  return new LocaldError('CONFIG_UNREADABLE', `${file}: ${reason}`, { problems: [{ file, message: reason }], cause })
}

/** Whether that is why a file could not be read. */
export function isFolder(error: LocaldError): boolean {
  return error.problems[0]?.message === folder
}

/** Why a text is not TOML, without any of its words, as they may be secrets. */
export interface SyntaxFault {
  readonly line: number
  readonly message: string
}

/** A TOML text's tables, or where and why it is none. */
export function parseToml(text: string): { readonly data: Table } | { readonly fault: SyntaxFault } {
  try {
    return { data: parse(text, { unsafeKeyBehaviour: 'throw', maxDepth: depthLimit }) }
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const reason = (error.message.split('\n', 1)[0] ?? '').replace(/^Invalid TOML document: /, '')
    return { fault: { line: error.line, message: `not valid TOML at column ${error.column}: ${reason}` } }
  }
}
