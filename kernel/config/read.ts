import { parse, TomlError } from 'smol-toml'
import { folderFault, ownersAt, readTextFile } from '../contract/text-file.ts'
import { LocaldError } from '../errors.ts'
import type { Table } from './table.ts'
import type { Trust } from './trust.ts'

/** For which project a file is read, and whose files are taken. */
export interface Reader {
  readonly trust: Trust
  readonly root: string
}

/** Nesting above which no TOML file is read, so that nothing that walks it can overflow. */
const depthLimit = 64

/**
 * A small UTF-8 text file, without its byte order mark; undefined where there is none. CONFIG_UNREADABLE, naming the file:
 * no permission, a folder or device or pipe (never waited for), over 1 MiB, not UTF-8. CONFIG_UNTRUSTED where it is not the reader's.
 */
export async function readText(file: string, reader?: Reader): Promise<string | undefined> {
  const read = await readTextFile(file)
  if (read === undefined) return undefined
  if ('fault' in read) {
    // Another user's folder of that name is theirs to remove, like a file.
    requireTrust(file, await ownersAt(file), reader)
    throw unreadable(file, read.fault, read.hint)
  }
  requireTrust(file, read.owners, reader)
  if (!read.isUtf8) throw unreadable(file, 'it is not UTF-8 text')
  return read.text
}

/** Throws CONFIG_UNTRUSTED where a file of these owners is not to be taken. */
export function requireTrust(file: string, owners: readonly number[], reader: Reader | undefined): void {
  const refusal = reader?.trust.refusal(file, owners, reader.root)
  if (refusal === undefined) return
  const { message, hint } = refusal
  throw new LocaldError('CONFIG_UNTRUSTED', `${file}: ${message}`, { hint, problems: [{ file, message, hint }] })
}

/** CONFIG_UNREADABLE for a file; without a hint of its own: to correct it. */
export function unreadable(file: string, reason: string, hint?: string): LocaldError {
  return new LocaldError('CONFIG_UNREADABLE', `${file}: ${reason}`, {
    hint: hint ?? 'Correct the file, or remove it.',
    problems: [{ file, message: reason, ...(hint === undefined ? {} : { hint }) }],
  })
}

/** Whether that is why a file could not be read. */
export function isFolder(error: LocaldError): boolean {
  return error.problems[0]?.message === folderFault
}

/** Why a text is not TOML, without any of its words, as they may be secrets. */
export interface SyntaxFault {
  readonly line: number
  readonly message: string
}

/**
 * A TOML text's tables, or where and why it is none. Line ends in strings of several lines are LF, as TOML lets a parser have it: a shell
 * would take the CR of a file from Windows as part of a word.
 */
export function parseToml(text: string): { readonly data: Table } | { readonly fault: SyntaxFault } {
  const lines = text.replaceAll('\r\n', '\n')
  try {
    return { data: parsed(lines) }
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const reason = (error.message.split('\n', 1)[0] ?? '').replace(/^Invalid TOML document: /, '')
    return { fault: { line: error.line, message: `not valid TOML at column ${error.column}: ${reason}` } }
  }
}

/** Integers that a number cannot hold exactly are bigints. */
const exact = { maxDepth: depthLimit, integersAsBigInt: 'asNeeded' } as const

/** A key `constructor` is one as any other; `__proto__` is refused. */
function parsed(text: string): Table {
  try {
    return parse(text, { ...exact, unsafeKeyBehaviour: 'throw' })
  } catch (error) {
    const data = text.includes('constructor') ? parse(text, exact) : undefined
    if (data === undefined || hasPrototype(data)) throw error
    return data
  }
}

function hasPrototype(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return Object.hasOwn(value, '__proto__') || Object.values(value).some(hasPrototype)
}
