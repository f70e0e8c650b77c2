import { type AST, parseTOML } from 'toml-eslint-parser'

/** The position of a value: table keys, and indexes of arrays of tables, from the top. */
export type Path = readonly (string | number)[]

/** One `key = value`, in a table or in an inline table. */
export interface Pair {
  readonly path: Path
  /** Path of the table that it is written in: shorter than its own by more than one where the key is dotted. */
  readonly base: Path
  readonly node: AST.TOMLKeyValue
  readonly isInline: boolean
}

/** A table with a header. */
export interface HeadedTable {
  readonly path: Path
  readonly node: AST.TOMLTable
}

/** A TOML text without its byte order mark, and where its tables and pairs are written. */
export interface TomlDocument {
  readonly text: string
  readonly eol: '\n' | '\r\n'
  readonly tables: readonly HeadedTable[]
  readonly pairs: readonly Pair[]
}

/** Finds tables and pairs of a text, with or without a byte order mark. Throws the parser's ParseError. */
export function parseDocument(marked: string): TomlDocument {
  const text = marked.replace(/^\uFEFF/, '')
  const tables: HeadedTable[] = []
  const pairs: Pair[] = []
  for (const node of parseTOML(text, { tomlVersion: '1.1' }).body[0].body) {
    if (node.type === 'TOMLKeyValue') collectPairs(node, [], false, pairs)
    else {
      tables.push({ path: node.resolvedKey, node })
      for (const pair of node.body) collectPairs(pair, node.resolvedKey, false, pairs)
    }
  }
  return { text, eol: eolOf(text), tables, pairs }
}

/** Whether a text is also TOML 1.0: other programs that read it may know no later version. */
export function isToml10(text: string): boolean {
  try {
    parseTOML(text, { tomlVersion: '1.0' })
    return true
  } catch {
    return false
  }
}

function collectPairs(node: AST.TOMLKeyValue, base: Path, isInline: boolean, pairs: Pair[]): void {
  const path = [...base, ...node.key.keys.map(key => (key.type === 'TOMLBare' ? key.name : key.value))]
  pairs.push({ path, base, node, isInline })
  if (node.value.type === 'TOMLInlineTable') for (const inner of node.value.body) collectPairs(inner, path, true, pairs)
}

/** Returns the line break that most lines have. */
function eolOf(text: string): '\n' | '\r\n' {
  const all = text.split('\n').length - 1
  const windows = text.split('\r\n').length - 1
  return windows * 2 > all ? '\r\n' : '\n'
}

/** Whether a path begins with another, or is the same. */
export function isWithin(path: Path, outer: Path): boolean {
  return outer.length <= path.length && outer.every((key, index) => key === path[index])
}

export function isSamePath(one: Path, other: Path): boolean {
  return one.length === other.length && isWithin(one, other)
}

/** Returns the index of the line break after an index, or the end of the text. */
export function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from)
  if (end < 0) return text.length
  return text[end - 1] === '\r' && end > from ? end - 1 : end
}

/** Returns the index at which the next line starts, or the end of the text. */
export function startOfNextLine(text: string, from: number): number {
  const end = text.indexOf('\n', from)
  return end < 0 ? text.length : end + 1
}

/** Returns the index at which the line of an index starts. */
export function startOfLine(text: string, at: number): number {
  return text.lastIndexOf('\n', at - 1) + 1
}

/** Returns the white space before an index, from the start of its line. */
export function indentationAt(text: string, at: number): string {
  return /^[ \t]*/.exec(text.slice(startOfLine(text, at), at))?.[0] ?? ''
}

/** Returns the 1-based line of the header or key of a path; undefined where it has none of its own. */
export function lineOfPath({ tables, pairs }: TomlDocument, path: Path): number | undefined {
  const found = [...tables, ...pairs].find(each => isSamePath(each.path, path))
  return found?.node.loc.start.line
}
