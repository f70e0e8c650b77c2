import type { AST } from 'toml-eslint-parser'
import type { Document } from './document.ts'
import type { Path } from './table.ts'

/** A key or element of a file: its line, and the marks inside it. */
interface Mark {
  line: number
  /** A number as it is written. */
  number?: string
  readonly inside: Map<string | number, Mark>
}

const cache = new WeakMap<Document, Promise<Mark | undefined>>()

/**
 * Returns the 1-based line of a path in a file, or of the nearest table around it where the path does not exist. Null
 * for files that are not TOML. The parser that keeps positions is slow: it is loaded when the first line is needed.
 */
export async function lineOf(document: Document, path: Path): Promise<number | null> {
  let mark = await marksIn(document)
  if (mark === undefined) return null
  for (const part of path) {
    const next: Mark | undefined = mark.inside.get(part)
    if (next === undefined) break
    mark = next
  }
  return mark.line
}

/** Returns the number at a path as it is written; undefined where there is none. As slow as `lineOf`. */
export async function numberAt(document: Document, path: Path): Promise<string | undefined> {
  const top = await marksIn(document)
  return path.reduce<Mark | undefined>((mark, part) => mark?.inside.get(part), top)?.number
}

function marksIn(document: Document): Promise<Mark | undefined> {
  const marks = cache.get(document) ?? marksOf(document)
  cache.set(document, marks)
  return marks
}

async function marksOf(document: Document): Promise<Mark | undefined> {
  if (document.text === undefined) return undefined
  const { parseTOML } = await import('toml-eslint-parser')
  const top: Mark = { line: 1, inside: new Map() }
  try {
    const { text } = document
    for (const node of parseTOML(text, { tomlVersion: '1.1' }).body[0].body) {
      if (node.type === 'TOMLKeyValue') addPair(text, top, node)
      else for (const pair of node.body) addPair(text, reach(top, node.resolvedKey, node.loc.start.line), pair)
      if (node.type === 'TOMLTable') reach(top, node.resolvedKey, node.loc.start.line).line = node.loc.start.line
    }
  } catch {
    // The two parsers disagree about a detail of TOML: the message goes without a line.
    return undefined
  }
  return top
}

function reach(from: Mark, path: Path, line: number): Mark {
  let mark = from
  for (const part of path) {
    let next = mark.inside.get(part)
    if (next === undefined) {
      next = { line, inside: new Map() }
      mark.inside.set(part, next)
    }
    mark = next
  }
  return mark
}

function addPair(text: string, table: Mark, pair: AST.TOMLKeyValue): void {
  const keys = pair.key.keys.map(key => (key.type === 'TOMLBare' ? key.name : key.value))
  addValue(text, reach(table, keys, pair.loc.start.line), pair.value)
}

function addValue(text: string, mark: Mark, value: AST.TOMLContentNode): void {
  if (value.type === 'TOMLInlineTable') for (const pair of value.body) addPair(text, mark, pair)
  if (value.type === 'TOMLValue' && (value.kind === 'integer' || value.kind === 'float'))
    mark.number = text.slice(...value.range)
  if (value.type !== 'TOMLArray') return
  for (const [index, element] of value.elements.entries())
    addValue(text, reach(mark, [index], element.loc.start.line), element)
}
