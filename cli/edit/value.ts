import { formatKey, formatValue, type TomlValue } from '../init/toml.ts'
import {
  endOfLine,
  indentationAt,
  isSamePath,
  isWithin,
  type Pair,
  type Path,
  startOfLine,
  startOfNextLine,
  type TomlDocument,
} from './document.ts'

/**
 * Returns the text with a value at a path of two or more keys: in the place of the present one, else in the table that
 * it belongs to. Undefined where the file has no such table to add it to.
 */
export function withValue(document: TomlDocument, path: readonly string[], value: TomlValue): string | undefined {
  const { text, eol, pairs, tables } = document
  const present = pairs.find(pair => isSamePath(pair.path, path))
  if (present !== undefined) {
    const [from, to] = present.node.value.range
    return splice(text, from, to, formatLike(text.slice(from, to), value).replaceAll('\n', eol))
  }
  const parent = path.slice(0, -1)
  const pair = `${formatKey(path.at(-1) ?? '')} = ${formatValue(value).replaceAll('\n', eol)}`
  const table = tables.find(each => isSamePath(each.path, parent))
  if (table !== undefined) {
    const last = table.node.body.at(-1)
    const { range } = last ?? table.node
    return insertLine(document, range[1], indentationAt(text, range[0]) + pair)
  }
  const inline = pairs.find(each => isSamePath(each.path, parent))
  if (inline !== undefined) return insertInline(text, inline, pair)
  return insertDotted(document, parent, pair)
}

/** Returns the text without a pair and its line; undefined where the path has no pair of its own. */
export function withoutValue({ text, pairs }: TomlDocument, path: Path): string | undefined {
  const found = pairs.find(pair => isSamePath(pair.path, path))
  if (found === undefined) return undefined
  const [from, to] = found.node.range
  if (found.isInline) {
    const span = spanOfInline(found)
    return span && splice(text, span.from, span.to, span.by)
  }
  const start = startOfLine(text, from)
  const next = startOfNextLine(text, to)
  // The last line of a file without a line break leaves the file without one.
  return next === text.length && !text.endsWith('\n') && start > 0
    ? text.slice(0, endOfLine(text, startOfLine(text, start - 1)))
    : splice(text, start, next, '')
}

function splice(text: string, from: number, to: number, by: string): string {
  return text.slice(0, from) + by + text.slice(to)
}

function insertLine({ text, eol }: TomlDocument, after: number, line: string): string {
  const at = endOfLine(text, after)
  return splice(text, at, at, eol + line)
}

/** Formats a value with the quotes of the present one, where it can have them. */
function formatLike(present: string, value: TomlValue): string {
  const isLiteral = present.startsWith("'") && !present.startsWith("'''")
  return isLiteral && typeof value === 'string' && /^[^'\0-\x08\x0a-\x1f\x7f]*$/.test(value)
    ? `'${value}'`
    : formatValue(value)
}

function insertInline(text: string, { node }: Pair, pair: string): string | undefined {
  if (node.value.type !== 'TOMLInlineTable') return undefined
  const last = node.value.body.at(-1)
  if (last !== undefined) return splice(text, last.range[1], last.range[1], `, ${pair}`)
  const [from, to] = node.value.range
  return splice(text, from, to, `{ ${pair} }`)
}

/** Adds a pair to a table that only dotted keys make: `web.port = 3000` below `web.command = "x"`. */
function insertDotted(document: TomlDocument, parent: Path, pair: string): string | undefined {
  const { text, pairs } = document
  const sibling = pairs.findLast(({ path, base }) => isWithin(path, parent) && base.length < parent.length)
  if (sibling === undefined) return undefined
  const { key, range } = sibling.node
  const upTo = key.keys[parent.length - sibling.base.length - 1]?.range[1]
  if (upTo === undefined) return undefined
  const dotted = `${text.slice(key.range[0], upTo)}.${pair}`
  if (sibling.isInline) return splice(text, range[1], range[1], `, ${dotted}`)
  return insertLine(document, range[1], indentationAt(text, range[0]) + dotted)
}

/** What to replace, and by what. */
interface Span {
  readonly from: number
  readonly to: number
  readonly by: string
}

/** Returns what removes a pair of an inline table, with one of the commas beside it. */
export function spanOfInline({ node }: Pair): Span | undefined {
  if (node.parent.type !== 'TOMLInlineTable') return undefined
  const { body, range } = node.parent
  const index = body.indexOf(node)
  const previous = body[index - 1]
  const next = body[index + 1]
  if (next !== undefined) return { from: node.range[0], to: next.range[0], by: '' }
  if (previous !== undefined) return { from: previous.range[1], to: node.range[1], by: '' }
  return { from: range[0], to: range[1], by: '{}' }
}
