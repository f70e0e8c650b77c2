import type { ExchangeView } from '../../../../proxy/provides.ts'

type Fits = (row: ExchangeView) => boolean

/** The fields that a filter can name, and what each compares. */
const fields: Readonly<Record<string, (value: string) => Fits>> = {
  status: value => {
    const pattern = new RegExp(`^${value.replace(/[^\dx]/gi, '').replace(/x/gi, '\\d')}`)
    return row => row.status !== null && pattern.test(String(row.status))
  },
  method: value => row => row.method.toLowerCase() === value,
  path: value => row => row.path.toLowerCase().includes(value),
  host: value => row => row.host.toLowerCase().includes(value),
  service: value => row => row.service !== null && (row.service === value || row.service.endsWith(`:${value}`)),
  type: value => row => row.type?.toLowerCase().includes(value) === true,
  kind: value => row => row.kind === value,
  page: value => row => row.page === value,
  is: value => row => (value === 'error' ? row.error !== null || (row.status ?? 0) >= 500 : row.durationMs === null),
  slower: value => row => (row.durationMs ?? 0) > Number.parseFloat(value),
}

/** Reads `status:5xx method:POST path:/api text`; `-` before a word excludes it. @param services those chosen elsewhere */
export function parseFilter(text: string, services: readonly string[]): Fits {
  const words = text
    .toLowerCase()
    .split(/\s+/)
    .filter(word => word !== '' && word !== '-')
  const all = words.map(fitsWord)
  return row =>
    (services.length === 0 || (row.service !== null && services.includes(row.service))) && all.every(fits => fits(row))
}

function fitsWord(word: string): Fits {
  if (word.startsWith('-')) {
    const fits = fitsWord(word.slice(1))
    return row => !fits(row)
  }
  const at = word.indexOf(':')
  const field = at > 0 && Object.hasOwn(fields, word.slice(0, at)) ? fields[word.slice(0, at)] : undefined
  if (field !== undefined) return at === word.length - 1 ? () => true : field(word.slice(at + 1))
  return ({ method, host, path, service, status }) =>
    `${method} ${host}${path} ${service} ${status}`.toLowerCase().includes(word)
}
