import { pairsOf, type RawHeaders, valuesOf } from '../../message/headers.ts'
import { cookieFor } from '../../message/own-cookies.ts'
import type { Entry } from '../entry.ts'

const parsed = new WeakMap<Entry, RawHeaders>()

/** Returns the headers that the client sent, as names and values; without the sessions of the dashboard. */
export function requestFields(entry: Entry): RawHeaders {
  const known = parsed.get(entry)
  if (known !== undefined) return known
  const { host, fields } = entry.head
  const list: string[] = []
  const all = typeof fields === 'string' ? pairsOf(linesOf(fields, host)) : fields
  for (let i = 0; i + 1 < all.length; i += 2) {
    const [name, value] = [all[i] ?? '', all[i + 1] ?? '']
    const kept = name.toLowerCase() === 'cookie' ? cookieFor(host, value) : value
    if (kept !== undefined) list.push(name, kept)
  }
  parsed.set(entry, list)
  return list
}

/** The fast path of HTTP/1.1 has the whole head, that of HTTP/2 its fields without the host. */
function linesOf(fields: string, host: string): string {
  const start = /^[A-Z]+ \S+ HTTP\/1\.1\r\n/.exec(fields)?.[0].length
  if (start === undefined) return `host: ${host}\r\n${fields}`
  return fields.slice(start).replace(/\r\n\r\n$/, '\r\n')
}

/** Returns the headers of the response. */
export function responseFields({ response }: Entry): RawHeaders {
  return response === undefined ? [] : pairsOf(response.fields)
}

/** Returns the first value of a request's header; `name` in lower case. */
export function requestField(entry: Entry, name: string): string | undefined {
  return valuesOf(requestFields(entry), name)[0]
}

/** Returns the first value of a response's header; `name` in lower case. */
export function responseField(entry: Entry, name: string): string | undefined {
  return valuesOf(responseFields(entry), name)[0]
}
