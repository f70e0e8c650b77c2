import { isDeepStrictEqual } from 'node:util'
import { at, isTable, own, type Table } from '../../kernel/config/document/table.ts'
import { parseToml } from '../../kernel/config/sources/read.ts'
import type { Section, TomlTable, TomlValue } from '../init/toml.ts'
import { isToml10, parseDocument, type TomlDocument } from './document.ts'
import { removeTable } from './removal.ts'
import { withTable } from './table.ts'
import { withoutValue, withValue } from './value.ts'

/** One change of a TOML file. */
export type Edit =
  | { readonly kind: 'add'; readonly section: Section }
  | { readonly kind: 'set'; readonly path: readonly string[]; readonly value: TomlValue }
  | { readonly kind: 'remove'; readonly path: readonly string[] }
  | { readonly kind: 'remove-table'; readonly path: readonly string[]; readonly keepsLines?: boolean }

const bom = '\uFEFF'

/**
 * Returns a TOML text after a change, all its other bytes as they were. The result is parsed and compared with what the
 * change means; undefined where no text is right, such as for a service that exists.
 */
export function applyEdit(text: string, edit: Edit): string | undefined {
  const isMarked = text.startsWith(bom)
  const body = isMarked ? text.slice(bom.length) : text
  const parsed = parseToml(body)
  const intended = 'data' in parsed ? intend(parsed.data, edit).map(toPlain) : []
  const isRight = (changed: string) => {
    const result = parseToml(changed)
    if ('fault' in result || !(isToml10(changed) || !isToml10(body))) return false
    const content = toPlain(result.data)
    return intended.some(each => isDeepStrictEqual(each, content))
  }
  try {
    for (const changed of candidates(parseDocument(body), edit))
      if (changed !== undefined && isRight(changed)) return isMarked ? bom + changed : changed
  } catch (error) {
    // The two parsers disagree about a detail of TOML.
    if (!(error instanceof SyntaxError)) throw error
  }
  return undefined
}

/** Makes the texts that may be meant, the best one first. */
function* candidates(document: TomlDocument, edit: Edit): Generator<string | undefined> {
  if (edit.kind === 'remove') {
    yield withoutValue(document, edit.path)
    return
  }
  if (edit.kind === 'remove-table') {
    yield removeTable(document.text, edit.path, edit.keepsLines)?.text
    return
  }
  if (edit.kind === 'add') {
    yield withTable(document, edit.section)
    yield withValue(document, edit.section.header, toTable(edit.section))
    return
  }
  const { path, value } = edit
  yield withValue(document, path, value)
  const parent = path.slice(0, -1)
  const key = path.at(-1) ?? ''
  yield withTable(document, { header: parent, entries: [{ key, value }] })
  if (parent.length > 1) yield* candidates(document, { kind: 'set', path: parent, value: { [key]: value } })
}

/** Returns what a file may contain after a change; nothing where the change contradicts what it contains. */
function intend(data: Table, edit: Edit): readonly Table[] {
  if (edit.kind === 'set') return put(data, edit.path, edit.value)
  const path = edit.kind === 'add' ? edit.section.header : edit.path
  const isThere = at(data, path).found
  if (edit.kind === 'add') return isThere ? [] : put(data, path, toTable(edit.section))
  if (!isThere) return []
  // A table that only this dotted key made disappears with it.
  const parent = path.slice(0, -1)
  const { value } = at(data, parent)
  const isAlone = isTable(value) && Object.keys(value).length === 1
  return [...put(data, path, undefined), ...(isAlone ? put(data, parent, undefined) : [])]
}

function toTable({ entries }: Section): TomlTable {
  return Object.fromEntries(entries.map(({ key, value }) => [key, value]))
}

/** Returns the tables with a value changed; none where another kind of value is on its path. */
function put(table: Table, [key, ...rest]: readonly string[], value: TomlValue | undefined): readonly Table[] {
  if (key === undefined) return []
  const present = own(table, key)
  const others = Object.entries(table).filter(([name]) => name !== key)
  if (rest.length === 0) return [Object.fromEntries(value === undefined ? others : [...others, [key, value]])]
  if (present !== undefined && !isTable(present)) return []
  return put(present ?? {}, rest, value).map(inner => Object.fromEntries([...others, [key, inner]]))
}

/** Copies tables to plain objects, so that only their content is compared. */
function toPlain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toPlain)
  if (!isTable(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, toPlain(inner)]))
}
