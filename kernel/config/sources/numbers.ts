import type { Document } from '../document/document.ts'
import { numberAt } from '../document/positions.ts'
import type { Problems } from '../document/problems.ts'
import { isTable, own, type Path, type Table } from '../document/table.ts'
import { inQuotes } from '../fields/env.ts'

/** Matches a decimal number with sign, point and exponent. */
const decimal = /^[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/
/** Matches what follows a `=` and may be a number. */
const candidates = /=[ \t]*([+-]?(?:\d[\w.+-]*|inf|nan))/g

/**
 * Keeps the numbers of a file's `env` tables as they are written: a variable is text, in which `3.10` is not `3.1`.
 * Numbers in other formats, such as `0o755`, are noted and left out.
 */
export async function withWrittenNumbers(document: Document, problems: Problems): Promise<Document> {
  const { text, data } = document
  // The parser that keeps positions is slow, and most files have only numbers that print as they are written.
  const isPlain = (written: string) => String(Number(written)) === written
  if (text === undefined) return document
  if ([...text.matchAll(candidates)].every(([, written = '']) => isPlain(written)))
    return { ...document, data: withoutBigInts(document, data, [], problems) }
  const env = await written(document, ['env'], problems)
  const services = own(data, 'services')
  const changed = isTable(services) ? await inServices(document, services, problems) : services
  const all = { ...data, ...pair('env', env), ...pair('services', changed) }
  return { ...document, data: withoutBigInts(document, all, [], problems) }
}

/** Notes and leaves out the integers that no number can hold exactly: readers would get a different one. */
function withoutBigInts(document: Document, table: Table, path: Path, problems: Problems): Table {
  const kept = (value: unknown, at: Path): unknown => {
    if (Array.isArray(value)) return value.map((element, index) => kept(element, [...at, index]))
    if (isTable(value)) return withoutBigInts(document, value, at, problems)
    if (typeof value !== 'bigint') return value
    problems.add(at, { document, message: 'the integer is too large' })
    return undefined
  }
  const entries = Object.entries(table).map(([key, value]): [string, unknown] => [key, kept(value, [...path, key])])
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined))
}

async function inServices(document: Document, services: Table, problems: Problems): Promise<Table> {
  const entries = Object.entries(services).map(async ([name, service]) => {
    const env = await written(document, ['services', name, 'env'], problems)
    return [name, isTable(service) ? { ...service, ...pair('env', env) } : service] as const
  })
  return Object.fromEntries(await Promise.all(entries))
}

function pair(key: string, value: unknown): Table {
  return value === undefined ? {} : { [key]: value }
}

/** Returns the `env` table at a path, its numbers as written. */
async function written(document: Document, path: Path, problems: Problems): Promise<unknown> {
  const table = path.reduce<unknown>((at, key) => (isTable(at) ? own(at, String(key)) : undefined), document.data)
  if (!isTable(table)) return table
  const entries = Object.entries(table).map(async ([name, value]): Promise<[string, unknown][]> => {
    if (typeof value !== 'number' && typeof value !== 'bigint') return [[name, value]]
    const text = (await numberAt(document, [...path, name])) ?? String(value)
    if (typeof value === 'number' && text === String(value)) return [[name, value]]
    if (decimal.test(text)) return [[name, text]]
    problems.add([...path, name], {
      document,
      message: 'unsupported number format for a variable',
      hint: inQuotes,
    })
    return []
  })
  return Object.fromEntries((await Promise.all(entries)).flat())
}
