import { join } from 'node:path'
import { parse, TomlError } from 'smol-toml'
import type { ProjectFolder } from '../../contract/contributions/project-source.ts'
import { LocaldError } from '../../errors.ts'
import { ownersAt, readTextFile } from '../../lib/text-file.ts'
import type { Table } from '../document/table.ts'
import type { Trust } from '../trust/trust.ts'

/** The project that a file is read for, and whose files are trusted. */
export interface Reader {
  readonly trust: Trust
  readonly root: string
  /** Stands for the text of the project's `locald.toml`, which is not read. */
  readonly draft?: string | undefined
  /** Finds what uses a port, other than the project in the folder, where that is to be started. */
  readonly portOccupant?: ((port: number, root: string) => ReturnType<ProjectFolder['portOccupant']>) | undefined
  /** The variables of the caller's shell, where there is one. */
  readonly shell?: Readonly<Record<string, string | undefined>> | undefined
}

/** The limit of nesting in TOML files, which keeps recursive functions from overflowing the stack. */
const depthLimit = 64

/**
 * Reads a UTF-8 text file without its byte order mark; returns undefined where it does not exist. Throws
 * CONFIG_UNREADABLE, naming the file, for one without permission, a folder, device or pipe (it never waits for one),
 * over 1 MiB, or not UTF-8; CONFIG_UNTRUSTED for another user's.
 */
export async function readText(file: string, reader?: Reader): Promise<string | undefined> {
  if (reader?.draft !== undefined && file === join(reader.root, 'locald.toml')) return reader.draft
  const read = await readTextFile(file)
  if (read === undefined) return undefined
  if ('fault' in read) {
    // A folder of another user needs the hint about its owner, as a file does.
    requireTrust(file, await ownersAt(file), reader)
    throw unreadable(file, read.fault, read.hint)
  }
  requireTrust(file, read.owners, reader)
  if (!read.isUtf8) throw unreadable(file, 'is not UTF-8 text')
  return read.text
}

/** Throws CONFIG_UNTRUSTED where a file of these owners is not trusted. */
export function requireTrust(file: string, owners: readonly number[], reader: Reader | undefined): void {
  const refusal = reader?.trust.refusal(file, owners, reader.root)
  if (refusal === undefined) return
  const { message, hint } = refusal
  throw new LocaldError('CONFIG_UNTRUSTED', `${file}: ${message}`, { hint, problems: [{ file, message, hint }] })
}

/** Makes the CONFIG_UNREADABLE of a file. */
export function unreadable(file: string, reason: string, hint?: string): LocaldError {
  return new LocaldError('CONFIG_UNREADABLE', `${file}: ${reason}`, {
    hint: hint ?? 'Correct the file, or remove it.',
    problems: [{ file, message: reason, ...(hint === undefined ? {} : { hint }) }],
  })
}

/** Why a text is not TOML, without any of its words, which may be secrets. */
export interface SyntaxFault {
  readonly line: number
  readonly message: string
}

/**
 * Parses a TOML text to tables, or to where and why it is not TOML. Line ends in multi-line strings become LF, as TOML
 * allows: a shell would take the CR of a file from Windows as part of a word.
 */
export function parseToml(text: string): { readonly data: Table } | { readonly fault: SyntaxFault } {
  const lines = text.replaceAll('\r\n', '\n')
  try {
    return { data: parseDocument(lines) }
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const reason = (error.message.split('\n', 1)[0] ?? '').replace(/^Invalid TOML document: /, '')
    return { fault: { line: error.line, message: `not valid TOML at column ${error.column}: ${reason}` } }
  }
}

/** Integers that a number cannot hold exactly are bigints. */
const exact = { maxDepth: depthLimit, integersAsBigInt: 'asNeeded' } as const

/** Takes `constructor` as a key like any other; rejects `__proto__`. */
function parseDocument(text: string): Table {
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
