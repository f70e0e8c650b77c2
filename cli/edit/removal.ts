import {
  endOfLine,
  type HeadedTable,
  isWithin,
  type Pair,
  type Path,
  parseDocument,
  startOfLine,
  startOfNextLine,
  type TomlDocument,
} from './document.ts'
import { endOfTable, startOfComment } from './table.ts'
import { spanOfInline } from './value.ts'

/** A table that was removed from a text. */
export interface Removal {
  readonly text: string
  /** Its text, without what was between its parts. */
  readonly removed: string
  /** 1-based line of its first part. */
  readonly line: number
}

/**
 * Removes a table in all its parts: headers with what is below, arrays of tables, dotted keys, its inline table; with each
 * the comments right above, and the empty lines that would be one gap too many. Undefined where it has no part.
 * @param keepsLines leaves empty lines in their place, so that all others keep their numbers
 */
export function removeTable(text: string, path: Path, keepsLines = false): Removal | undefined {
  const removed: string[] = []
  let current = text
  let line = 1
  // The last one first: what is left is a valid file each time.
  for (let part = lastPart(text, path); part !== undefined; part = lastPart(current, path)) {
    const { from, to, gap, by } = part
    removed.unshift(current.slice(gap.before, gap.after))
    line = part.line
    const breaks = keepsLines ? '\n'.repeat(current.slice(from, to).split('\n').length - 1) : ''
    current = current.slice(0, from) + by + breaks + current.slice(to)
  }
  return removed.length === 0 ? undefined : { text: current, removed: removed.map(withLineBreak).join(''), line }
}

interface Part {
  /** What is replaced, and by what. */
  readonly from: number
  readonly to: number
  readonly by: string
  /** The part without the empty lines around it. */
  readonly gap: { readonly before: number; readonly after: number }
  readonly line: number
}

function lastPart(text: string, path: Path): Part | undefined {
  const document = parseDocument(text)
  const table = document.tables.findLast(each => isWithin(each.path, path))
  const pair = document.pairs.findLast(each => isWithin(each.path, path) && !isWithin(each.base, path))
  if (pair !== undefined && (table === undefined || table.node.range[0] < pair.node.range[0]))
    return pair.isInline ? inlinePart(pair) : linesPart(document, pair, endOfLine(text, pair.node.range[1]))
  return table === undefined ? undefined : linesPart(document, table, endOfTable(text, table))
}

function inlinePart(pair: Pair): Part | undefined {
  const span = spanOfInline(pair)
  const [before, after] = pair.node.range
  return span && { ...span, gap: { before, after }, line: pair.node.loc.start.line }
}

/** Returns whole lines, up to the line break at `end`. */
function linesPart({ text }: TomlDocument, { node }: HeadedTable | Pair, end: number): Part {
  const before = startOfComment(text, startOfLine(text, node.range[0]))
  const after = startOfNextLine(text, end)
  const above = gapAbove(text, before)
  const below = gapBelow(text, after)
  const isLast = below === text.length
  const line = node.loc.start.line
  const gap = { before, after }
  // The last line of a file without a line break leaves the file without one.
  if (isLast && !text.endsWith('\n') && above > 0)
    return { from: endOfLine(text, startOfLine(text, above - 1)), to: text.length, by: '', gap, line }
  if (above === 0) return { from: above, to: below, by: '', gap, line }
  return { from: isLast || below > after ? above : before, to: after, by: '', gap, line }
}

/** Returns the start of the empty lines above a line. */
function gapAbove(text: string, line: number): number {
  let start = line
  while (start > 0) {
    const above = startOfLine(text, start - 1)
    if (text.slice(above, start).trim() !== '') break
    start = above
  }
  return start
}

/** Returns the end of the empty lines from a line on. */
function gapBelow(text: string, line: number): number {
  let end = line
  while (end < text.length) {
    const next = startOfNextLine(text, end)
    if (text.slice(end, next).trim() !== '') break
    end = next
  }
  return end
}

function withLineBreak(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`
}
