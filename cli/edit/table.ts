import { formatSection, type Section } from '../init/toml.ts'
import {
  endOfLine,
  type HeadedTable,
  indentationAt,
  isWithin,
  type Path,
  startOfLine,
  startOfNextLine,
  type TomlDocument,
} from './document.ts'

/** The order of tables in a file; all others follow. */
const order: Path = ['project', 'env', 'services']

/** The start of a comment that is for editors, such as `#:schema URL`. */
const directive = '#:'

/** Returns the text with a table after its relatives: a service after the last service, before `[routes]`. */
export function withTable(document: TomlDocument, section: Section): string {
  const { text, eol } = document
  const anchor = anchorOf(document, section.header)
  const at = anchor === undefined ? startOfTables(document) : endOfTable(text, anchor)
  const block = indent(formatSection(section), document, section.header).replaceAll('\n', eol)
  const gap = isCompact(document) ? eol : eol + eol
  const before = text.slice(0, at)
  const after = text.slice(at)
  if (before === '' || before.endsWith('\n')) return before + block + (after === '' ? eol : gap + after)
  // The next table follows without an empty line where its comment is right below.
  const isTight = gap !== eol && /^\r?\n[ \t]*[^\s]/.test(after)
  return before + gap + block + (isTight ? eol : '') + after
}

/** Returns the table to add one of a path after: the last one with the longest common path, else of an earlier kind. */
function anchorOf({ tables }: TomlDocument, path: Path): HeadedTable | undefined {
  const shared = (table: HeadedTable) => {
    const differs = path.findIndex((key, index) => key !== table.path[index])
    return differs < 0 ? path.length : differs
  }
  const most = Math.max(0, ...tables.map(shared))
  if (most > 0) return tables.findLast(table => shared(table) === most)
  return tables.findLast(table => rank(table.path) < rank(path))
}

function rank([key = '']: Path): number {
  const index = order.indexOf(key)
  return index < 0 ? order.length : index
}

/** Returns where tables may begin: after the pairs at the top, above the comment of the first table. */
function startOfTables({ text, tables, pairs }: TomlDocument): number {
  const top = pairs.findLast(({ base, isInline }) => base.length === 0 && !isInline)
  if (top !== undefined) return skipComments(text, endOfLine(text, top.node.range[1]))
  const [first] = tables
  if (first === undefined) return text.trimEnd().length
  return startOfComment(text, startOfLine(text, first.node.range[0]))
}

/** Returns the end of the last line of a table, with the comments right below it. */
export function endOfTable(text: string, { node }: HeadedTable): number {
  return skipComments(text, endOfLine(text, node.range[1]))
}

/** Skips the comment lines right below a line, unless they are right above the next table: then they are about it. */
function skipComments(text: string, from: number): number {
  let end = from
  for (;;) {
    const start = startOfNextLine(text, end)
    if (start === text.length && endOfLine(text, end) === text.length) return end
    const next = endOfLine(text, start)
    const line = text.slice(start, next).trim()
    if (line === '') return end
    if (!line.startsWith('#')) return from
    end = next
  }
}

/** Whether the file has no empty line before any of its tables. A table right below a bare header does not count. */
function isCompact({ text, tables }: TomlDocument): boolean {
  const starts = tables.flatMap(({ node }, index) => {
    const previous = tables[index - 1]?.node
    const isBelowBare = previous !== undefined && previous.body.length === 0
    return isBelowBare ? [] : [startOfComment(text, startOfLine(text, node.range[0]))]
  })
  const inner = starts.filter(start => !hasOnlyDirectives(text.slice(0, start)))
  return inner.length > 0 && inner.every(start => text.slice(startOfLine(text, start - 1), start).trim() !== '')
}

function hasOnlyDirectives(text: string): boolean {
  return text.split('\n').every(line => line === '' || line.startsWith(directive))
}

/** Returns the start of the comment lines right above a line, or of the line. A directive is about the whole file. */
export function startOfComment(text: string, line: number): number {
  let start = line
  while (start > 0) {
    const above = startOfLine(text, start - 1)
    const line = text.slice(above, start).trimStart()
    if (!line.startsWith('#') || line.startsWith(directive)) break
    start = above
  }
  return start
}

/** Indents a table as the file does a table at the same depth. A text of several lines stays as it is. */
function indent(block: string, { text, tables }: TomlDocument, path: Path): string {
  const sibling = tables.findLast(table => table.path.length === path.length && isWithin(table.path, path.slice(0, -1)))
  if (sibling === undefined || block.includes('"""')) return block
  const [start] = sibling.node.range
  const [first] = sibling.node.body
  const outer = indentationAt(text, start)
  const inner = first === undefined ? outer : indentationAt(text, first.range[0])
  return block.replaceAll(/^(?=(\[?).)/gm, (_, bracket: string) => (bracket === '' ? inner : outer))
}
