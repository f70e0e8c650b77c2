import { parse } from 'dotenv'

/** An entry of a `.env` file. */
export interface DotenvEntry {
  readonly value: string
  /** It stood in single quotes: nothing in it is replaced. */
  readonly literal: boolean
  /** It begins with a quote that nothing closes, and which is part of it. */
  readonly isUnclosed: boolean
  /** 1-based. */
  readonly line: number
}

/**
 * dotenv's own form of an entry, with the places of name and value: its parser reports neither lines nor quotes. Only that it begins in its
 * line is ours: dotenv looks through all empty lines above it again and again, which takes hours for a megabyte of them.
 */
const entry =
  /^[^\S\n]*(?:export\s+)?([\w.-]+)(?:\s*=\s*?|:\s+?)(\s*'(?:\\'|[^'])*'|\s*"(?:\\"|[^"])*"|\s*`(?:\\`|[^`])*`|[^#\r\n]+)?\s*(?:#.*)?$/dgm

/**
 * Reads a `.env` file as dotenv does: the last entry of a name counts, lines that are no entries are ignored. Only in that a comment needs a
 * space before it do values differ, as most other readers have it: dotenv cuts off a password at its first `#`.
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

/** The value of an entry without quotes that has a `#` in its line; undefined for others. */
function withHash(lines: string, { indices }: RegExpExecArray): string | undefined {
  const from = indices?.[1]?.[1] ?? 0
  const end = lines.indexOf('\n', from)
  const written = lines.slice(from, end < 0 ? lines.length : end).replace(/^(?:\s*=|:\s)/, '')
  return /^\s*["'`]/.test(written) || !written.includes('#') ? undefined : written.replace(/\s#.*$/, '').trim()
}

/**
 * The 1-based line of the first value of a `.env` text, or of something that is neither entry nor comment, with a character that it cannot
 * be passed on with. Undefined: comments alone have some, if any.
 */
export function lineWith(character: string, text: string): number | undefined {
  const entry = [...parseDotenv(text).values()].find(({ value }) => value.includes(character))
  return entry?.line ?? strayLines(text).find(({ text }) => text.includes(character))?.line
}

/** What of a `.env` text does not mean what it looks like: 1-based lines. */
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

/** What is outside of all entries, without empty lines and comments. */
function strayLines(text: string): readonly { readonly line: number; readonly text: string }[] {
  const others = text.replace(/\r\n?/g, '\n').replace(entry, found => found.replace(/[^\n]/g, ''))
  return others.split('\n').flatMap((text, index) => (/^\s*(?:#|$)/.test(text) ? [] : [{ line: index + 1, text }]))
}
