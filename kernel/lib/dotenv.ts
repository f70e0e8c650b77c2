import { parse } from 'dotenv'

/** An entry of a `.env` file. */
export interface DotenvEntry {
  readonly value: string
  /** Whether the value was in single quotes, so that references in it stay as they are. */
  readonly literal: boolean
  /** Whether the value begins with an unclosed quote, which is then part of it. */
  readonly isUnclosed: boolean
  /** 1-based. */
  readonly line: number
}

/**
 * dotenv's own pattern of an entry, with the positions of name and value, as its parser reports neither lines nor
 * quotes. Unlike dotenv's it matches within one line: dotenv scans all empty lines above an entry repeatedly, which
 * takes hours for a megabyte of them.
 */
const entry =
  /^[^\S\n]*(?:export\s+)?([\w.-]+)(?:\s*=\s*?|:\s+?)(\s*'(?:\\'|[^'])*'|\s*"(?:\\"|[^"])*"|\s*`(?:\\`|[^`])*`|[^#\r\n]+)?\s*(?:#.*)?$/dgm

/**
 * Parses a `.env` file as dotenv does: the last entry of a name counts, lines that are not entries are ignored. The one
 * difference: a comment needs a space before it, as in most other readers. dotenv cuts off a password at its first `#`.
 */
export function parseDotenv(text: string): ReadonlyMap<string, DotenvEntry> {
  const lines = text.replace(/\r\n?/g, '\n')
  const entries = new Map<string, DotenvEntry>()
  let line = 1
  let counted = 0
  for (const match of lines.matchAll(entry)) {
    const [, name = '', written = ''] = match
    const start = match.indices?.[1]?.[0] ?? match.index
    for (; counted < start; counted++) if (lines[counted] === '\n') line++
    const values = parse(match[0])
    const value = withHash(lines, match) ?? (Object.hasOwn(values, name) ? values[name] : undefined)
    const quoted = written.trim()
    const isUnclosed = /^["'`]/.test(quoted) && (quoted.length === 1 || quoted.at(-1) !== quoted[0])
    if (value !== undefined) entries.set(name, { value, literal: quoted.startsWith("'"), isUnclosed, line })
  }
  return entries
}

/** Returns the value of an unquoted entry with a `#` in its line; undefined for other entries. */
function withHash(lines: string, { indices }: RegExpExecArray): string | undefined {
  const from = indices?.[1]?.[1] ?? 0
  const end = lines.indexOf('\n', from)
  const written = lines.slice(from, end < 0 ? lines.length : end).replace(/^(?:\s*=|:\s)/, '')
  return /^\s*["'`]/.test(written) || !written.includes('#') ? undefined : written.replace(/\s#.*$/, '').trim()
}

/**
 * Returns the 1-based line of the first entry, or stray line, of a `.env` text that contains a character which no
 * environment can hold. Undefined where at most comments contain it.
 */
export function lineWith(character: string, text: string): number | undefined {
  const entry = [...parseDotenv(text).values()].find(({ value }) => value.includes(character))
  return entry?.line ?? strayLines(text).find(({ text }) => text.includes(character))?.line
}

/** The 1-based lines of a `.env` text that do not mean what they look like. */
export interface DotenvFaults {
  /** Lines that are neither entries nor comments. */
  readonly stray: readonly number[]
  /** Lines of entries whose value begins with a quote that nothing closes. */
  readonly unclosed: readonly number[]
}

export function faultsOf(text: string): DotenvFaults {
  const unclosed = [...parseDotenv(text).values()].filter(({ isUnclosed }) => isUnclosed).map(({ line }) => line)
  return { stray: strayLines(text).map(({ line }) => line), unclosed }
}

/** Returns the lines outside of all entries that are neither empty nor comments. */
function strayLines(text: string): readonly { readonly line: number; readonly text: string }[] {
  const others = text.replace(/\r\n?/g, '\n').replace(entry, found => found.replace(/[^\n]/g, ''))
  return others.split('\n').flatMap((text, index) => (/^\s*(?:#|$)/.test(text) ? [] : [{ line: index + 1, text }]))
}
