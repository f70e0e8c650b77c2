import type { ExchangeView } from '../../../plugins/proxy/provides.ts'

/** Whether a request is shown. */
export type Fits = (row: ExchangeView) => boolean

/** The fields that a filter can name. */
const fields: Readonly<Record<string, (row: ExchangeView) => string>> = {
  status: ({ status }) => String(status ?? '-'),
  method: ({ method }) => method,
  path: ({ path }) => path,
  host: ({ host }) => host,
  service: ({ service }) => service ?? '-',
  type: ({ type }) => type ?? '-',
  kind: ({ kind }) => kind,
}

/**
 * Reads `status:5xx method:post path:/api text`: each word has to be in its field, one without a field in method, host,
 * path, service or status; `-` before a word excludes it.
 */
export function parseFilter(text: string): Fits {
  const all = text
    .toLowerCase()
    .split(/\s+/)
    .filter(word => word !== '' && word !== '-')
    .map(fitsWord)
  return row => all.every(fits => fits(row))
}

function fitsWord(word: string): Fits {
  if (word.startsWith('-')) {
    const fits = fitsWord(word.slice(1))
    return row => !fits(row)
  }
  if (/^[1-5]xx$/.test(word)) return ({ status }) => String(status).startsWith(word.slice(0, 1))
  const [, name = '', value = ''] = /^([a-z]+):(.*)$/.exec(word) ?? []
  if (name === 'is' && value === 'error') return ({ error, status }) => error !== null || (status ?? 0) >= 500
  const field = Object.hasOwn(fields, name) ? fields[name] : undefined
  if (field === undefined) return row => textOf(row).includes(word)
  const wanted = name === 'status' ? value.replace(/x+$/, '') : value
  return row => field(row).toLowerCase().includes(wanted) && (name !== 'status' || field(row).startsWith(wanted))
}

function textOf({ method, host, path, service, status }: ExchangeView): string {
  return `${method} ${host}${path} ${service ?? ''} ${status ?? ''}`.toLowerCase()
}
