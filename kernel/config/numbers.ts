import type { Document } from './layers.ts'
import { numberAt } from './positions.ts'
import type { Problems } from './problems.ts'
import { isTable, own, type Path, type Table } from './table.ts'

/** A number in decimal, its sign, point and exponent as written. */
const decimal = /^[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/
/** What stands after `=` and may be a number. */
const candidates = /=[ \t]*([+-]?(?:\d[\w.+-]*|inf|nan))/g

/**
 * The tables of a file, with the numbers of its `env` tables as they are written: a variable is text, in which `3.10` is not `3.1`. Those
 * in other formats, such as `0o755`, are noted and left out.
 */
export async function withWrittenNumbers(document: Document, problems: Problems): Promise<Document> {
  const { text, data } = document
  // The parser that keeps what was written is slow, and most files have no number that is written in another way than it is printed.
  const isPlain = (written: string) => String(Number(written)) === written
  if (text === undefined || [...text.matchAll(candidates)].every(([, written = '']) => isPlain(written)))
    return document
  const env = await written(document, ['env'], problems)
  const services = own(data, 'services')
  const changed = isTable(services) ? await inServices(document, services, problems) : services
  return { ...document, data: { ...data, ...pair('env', env), ...pair('services', changed) } }
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

/** The `env` table at a path, if there is one. */
async function written(document: Document, path: Path, problems: Problems): Promise<unknown> {
  const table = path.reduce<unknown>((at, key) => (isTable(at) ? own(at, String(key)) : undefined), document.data)
  if (!isTable(table)) return table
  const entries = Object.entries(table).map(async ([name, value]): Promise<[string, unknown][]> => {
    const text = typeof value === 'number' ? await numberAt(document, [...path, name]) : undefined
    if (text === undefined || text === String(value)) return [[name, value]]
    if (decimal.test(text)) return [[name, text]]
    problems.add([...path, name], {
      document,
      message: 'unsupported number format for a variable',
      hint: 'Put it in quotes: the service gets the text.',
    })
    return []
  })
  return Object.fromEntries((await Promise.all(entries)).flat())
}
