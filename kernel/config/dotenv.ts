import { parse } from 'dotenv'
import { LocaldError } from '../errors.ts'
import { isFolder, readText } from './read.ts'

/** An entry of a `.env` file. */
export interface DotenvEntry {
  readonly value: string
  /** It stood in single quotes: nothing in it is replaced. */
  readonly literal: boolean
  /** 1-based. */
  readonly line: number
}

/** dotenv's own form of an entry, with the places of name and value: its parser tells neither lines nor quotes. */
const entry =
  /^\s*(?:export\s+)?([\w.-]+)(?:\s*=\s*?|:\s+?)(\s*'(?:\\'|[^'])*'|\s*"(?:\\"|[^"])*"|\s*`(?:\\`|[^`])*`|[^#\r\n]+)?\s*(?:#.*)?$/dgm

/** Reads a `.env` file as dotenv does: the last entry of a name counts, lines that are no entries are ignored. */
export function parseDotenv(text: string): ReadonlyMap<string, DotenvEntry> {
  const lines = text.replace(/\r\n?/g, '\n')
  const values = parse(lines)
  const entries = new Map<string, DotenvEntry>()
  let line = 1
  let counted = 0
  for (const match of lines.matchAll(entry)) {
    const [, name = '', written = ''] = match
    const start = match.indices?.[1]?.[0] ?? match.index
    for (; counted < start; counted++) if (lines[counted] === '\n') line++
    const value = Object.hasOwn(values, name) ? values[name] : undefined
    if (value !== undefined) entries.set(name, { value, literal: written.trim().startsWith("'"), line })
  }
  return entries
}

/**
 * The entries of a file; undefined where there is none. With `folderOk` a folder counts as none: Python's virtual
 * environments are often called `.env`. CONFIG_UNREADABLE as `readText`.
 */
export async function readDotenv(
  file: string,
  folderOk: boolean,
): Promise<ReadonlyMap<string, DotenvEntry> | undefined> {
  try {
    const read = await readText(file)
    return read === undefined ? undefined : parseDotenv(read.text)
  } catch (error) {
    if (folderOk && LocaldError.is(error) && isFolder(error)) return undefined
    throw error
  }
}
