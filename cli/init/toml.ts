/** A value that can be written. */
export type TomlValue = string | number | boolean | readonly TomlValue[] | TomlTable

export interface TomlTable {
  readonly [key: string]: TomlValue
}

/** Whether a value of unknown origin can be written. */
export function isTomlValue(value: unknown): value is TomlValue {
  if (Array.isArray(value)) return value.every(isTomlValue)
  if (typeof value === 'object' && value !== null) return Object.values(value).every(isTomlValue)
  return ['string', 'number', 'boolean'].includes(typeof value)
}

/** One `key = value` line, with the comment behind it. */
export interface Entry {
  readonly key: string
  readonly value: TomlValue
  readonly comment?: string
}

/** A table: its header, the comments below it, its entries. */
export interface Section {
  readonly header: readonly string[]
  readonly comments?: readonly string[]
  readonly entries: readonly Entry[]
  /** Written as a comment as a whole. */
  readonly isInactive?: boolean
}

/** The longest line with an inline table: a longer one becomes a table of its own. */
const inlineLimit = 100

/** Formats a TOML file: comments at its head, then the tables in order. */
export function formatToml(preamble: readonly string[], sections: readonly Section[]): string {
  const head = preamble.map(commentLine).join('\n')
  const text = `${[head, ...sections.map(formatSection)].filter(part => part !== '').join('\n\n')}\n`
  // TOML is UTF-8: half of a surrogate pair becomes the replacement character.
  return Buffer.from(text).toString()
}

/** Formats a table, with tables below it for what is too long for a line. */
export function formatSection({ header, comments = [], entries, isInactive }: Section): string {
  const own: string[] = []
  const tables: string[] = []
  for (const { key, value, comment } of entries) {
    const line = `${formatKey(key)} = ${formatValue(value)}`
    if (isTable(value) && line.length > inlineLimit)
      tables.push(formatTable([...header, key], Object.entries(value).map(toLine)))
    else own.push(comment === undefined ? line : `${line}  ${commentLine(comment)}`)
  }
  const text = [formatTable(header, [...comments.map(commentLine), ...own]), ...tables].join('\n\n')
  return isInactive ? text.split('\n').map(commentLine).join('\n') : text
}

function toLine([key, value]: readonly [string, TomlValue]): string {
  return `${formatKey(key)} = ${formatValue(value)}`
}

function formatTable(header: readonly string[], lines: readonly string[]): string {
  return [`[${header.map(formatKey).join('.')}]`, ...lines].join('\n')
}

/** A comment of one line: control characters are not allowed in it. */
function commentLine(text: string): string {
  return text === '' ? '#' : `# ${text.replace(/[\0-\x08\x0a-\x1f\x7f]+/g, ' ')}`
}

/** Formats a key: bare where it can be. */
export function formatKey(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : formatText(key)
}

/** Formats a value; a text of several lines keeps them. */
export function formatValue(value: TomlValue): string {
  if (typeof value === 'string') return value.includes('\n') ? formatLines(value) : formatText(value)
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : formatText(String(value))
  if (typeof value === 'boolean') return String(value)
  if (isArray(value)) return `[${value.map(formatValue).join(', ')}]`
  const pairs = Object.entries(value).map(toLine)
  return pairs.length === 0 ? '{}' : `{ ${pairs.join(', ')} }`
}

function isArray(value: TomlValue): value is readonly TomlValue[] {
  return Array.isArray(value)
}

function isTable(value: TomlValue): value is TomlTable {
  return typeof value === 'object' && !isArray(value)
}

const short: Readonly<Record<string, string>> = { '\n': '\\n', '\t': '\\t', '\r': '\\r', '"': '\\"', '\\': '\\\\' }

function escapeCharacters(text: string, characters: RegExp): string {
  const code = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  return text.replace(characters, character => short[character] ?? code(character))
}

function formatText(text: string): string {
  return `"${escapeCharacters(text, /[\0-\x1f\x7f"\\]/g)}"`
}

/** A multi-line string: its first newline, after the quotes, is not part of it. */
function formatLines(text: string): string {
  const body = escapeCharacters(text, /[\0-\x08\x0b-\x1f\x7f\\]/g).replace(/"(?="|$)/g, '\\"')
  return `"""\n${body}"""`
}
