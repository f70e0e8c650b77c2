import type { OutgoingHttpHeaders } from 'node:http2'
import type { RawHeaders } from './headers.ts'

/** A request of HTTP/2 as HTTP/1.1 would have it. */
export interface H2Request {
  readonly method: string
  /** Path and query. */
  readonly path: string
  /** All fields, `host` first. */
  readonly fields: RawHeaders
  /** A body follows, of the length given or framed in chunks. */
  readonly body: 'none' | 'length' | 'chunks'
  /** RFC 8441: the protocol the stream is to become. */
  readonly protocol: string | undefined
  /** Come at the end of the body. */
  trailers: RawHeaders
}

/** Reads a header list; a string says why it is refused. `more`: the stream goes on after it. */
export function requestOf(raw: RawHeaders, more: boolean): H2Request | string {
  let method = ''
  let path = ''
  let authority: string | undefined
  let host: string | undefined
  let protocol: string | undefined
  let cookie: string | undefined
  let length = false
  const fields: string[] = []
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? ''
    const value = asBytes(raw[i + 1] ?? '')
    if (name === ':method') method = value
    else if (name === ':path') path = value
    else if (name === ':authority') authority = value
    else if (name === ':protocol') protocol = value
    else if (name === 'host') host = value
    // RFC 9113 section 8.2.3: clients send a cookie in pieces.
    else if (name === 'cookie') cookie = cookie === undefined ? value : `${cookie}; ${value}`
    else if (!name.startsWith(':')) {
      length ||= name === 'content-length'
      fields.push(name, value)
    }
  }
  if (authority !== undefined && host !== undefined && host.toLowerCase() !== authority.toLowerCase())
    return ':authority and Host differ'
  if (cookie !== undefined) fields.push('cookie', cookie)
  const upgrading = method === 'CONNECT' && protocol !== undefined
  const body = upgrading || !more ? 'none' : length ? 'length' : 'chunks'
  if (body === 'chunks') fields.push('transfer-encoding', 'chunked')
  const name = authority ?? host
  if (name !== undefined) fields.unshift('host', name)
  return {
    method: upgrading ? 'GET' : method,
    path,
    fields,
    body,
    protocol: upgrading ? protocol : undefined,
    trailers: [],
  }
}

/** Fields, as lines or as names and values, for node:http2; names in lower case, what came twice as a list. */
export function fieldsOf(fields: string | RawHeaders): OutgoingHttpHeaders {
  const headers: Record<string, string | string[]> = {}
  const add = (name: string, bytes: string): void => {
    const value = asText(bytes)
    const known = headers[name]
    if (known === undefined) headers[name] = value
    else if (typeof known === 'string') headers[name] = [known, value]
    else known.push(value)
  }
  if (typeof fields !== 'string') {
    for (let i = 0; i + 1 < fields.length; i += 2) add((fields[i] ?? '').toLowerCase(), fields[i + 1] ?? '')
    return headers
  }
  for (let at = 0; at < fields.length; ) {
    const end = fields.indexOf('\r\n', at)
    const colon = fields.indexOf(':', at)
    add(fields.slice(at, colon).toLowerCase(), fields.slice(colon + 1, end).trim())
    at = end + 2
  }
  return headers
}

const ascii = /^[\x00-\x7f]*$/
const utf8 = new TextDecoder('utf-8', { fatal: true })

/** node:http2 reads and writes values as UTF-8, the rest of the proxy as one character for each byte. */
function asBytes(text: string): string {
  return ascii.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1')
}

function asText(bytes: string): string {
  if (ascii.test(bytes)) return bytes
  try {
    return utf8.decode(Buffer.from(bytes, 'latin1'))
  } catch {
    // Of an older time: read as ISO 8859-1.
    return bytes
  }
}
