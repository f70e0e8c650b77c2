import type { OutgoingHttpHeaders } from 'node:http2'
import { ours, type RawHeaders, trimmed } from './headers.ts'

/** A request of HTTP/2 as HTTP/1.1 would have it. */
export interface Http2Request {
  readonly method: string
  /** Path and query. */
  readonly path: string
  /** All fields, `host` first. */
  readonly fields: RawHeaders
  /** A body follows, of the length given or framed in chunks. */
  readonly body: 'none' | 'length' | 'chunked'
  /** RFC 8441: the protocol the stream is to become. */
  readonly protocol: string | undefined
  /** Come at the end of the body. */
  trailers: RawHeaders
}

/** Reads a header list; a string says why it is refused. `more`: the stream goes on after it. */
export function requestOf(raw: RawHeaders, more: boolean): Http2Request | string {
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
    const value = raw[i + 1] ?? ''
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
  const body = upgrading || !more ? 'none' : length ? 'length' : 'chunked'
  if (body === 'chunked') fields.push('transfer-encoding', 'chunked')
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

/** A GET or HEAD without a body, and with no field that is more than passed on. */
export interface NarrowHttp2Request {
  readonly method: 'GET' | 'HEAD'
  readonly path: string
  readonly host: string
  /** The fields to send on, CR LF after each; without Host. */
  readonly fields: string
}

/** Reads a header list of such a request, which no body follows; undefined for all others. */
export function narrowOf(raw: RawHeaders): NarrowHttp2Request | undefined {
  let method = ''
  let path = ''
  let host = ''
  let cookie = ''
  let fields = ''
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? ''
    const value = raw[i + 1] ?? ''
    if (name.charCodeAt(0) !== colon) {
      if (more.has(name) || ours(name) || name.startsWith('proxy-')) return undefined
      if (name === 'cookie') cookie = cookie === '' ? value : `${cookie}; ${value}`
      else fields += `${name}: ${value}\r\n`
    } else if (name === ':method') method = value
    else if (name === ':path') path = value
    else if (name === ':authority') host = value
    else if (name !== ':scheme') return undefined
  }
  if (cookie !== '') fields += `cookie: ${cookie}\r\n`
  if ((method !== 'GET' && method !== 'HEAD') || !target.test(path)) return undefined
  return { method, path, host, fields }
}

const colon = 58
const target = /^\/[!"$-~]*$/
// Those that say something about the connection, the body, or to the proxy.
const more = new Set([
  ...['host', 'te', 'expect', 'trailer', 'upgrade', 'content-length', 'transfer-encoding', 'connection'],
  ...['keep-alive', 'http2-settings', 'x-locald-progress'],
])

/**
 * Headers for node:http2: names in lower case, what came twice as a list. Values have one character for each byte, as node:http2
 * reads and writes them (Latin-1, on Node 20 to 26) and as the rest of the proxy has them.
 */
type Fields = Record<string, string | string[] | number>

/** Fields, as lines or as names and values, for node:http2, besides `more`. */
export function fieldsOf(fields: string | RawHeaders, more?: Fields): OutgoingHttpHeaders {
  // Without a prototype: a field may be called `constructor`.
  const headers: Fields = Object.assign(Object.create(null), more)
  if (typeof fields !== 'string') {
    for (let i = 0; i + 1 < fields.length; i += 2) add(headers, (fields[i] ?? '').toLowerCase(), fields[i + 1] ?? '')
    return headers
  }
  for (let at = 0; at < fields.length; ) {
    const end = fields.indexOf('\r\n', at)
    const colon = fields.indexOf(':', at)
    add(headers, lowered(fields.slice(at, colon)), trimmed(fields.slice(colon + 1, end)))
    at = end + 2
  }
  return headers
}

function add(headers: Fields, name: string, value: string): void {
  const known = headers[name]
  if (known === undefined) headers[name] = value
  else if (Array.isArray(known)) known.push(value)
  // RFC 9110 section 5.3: the same on one line.
  else headers[name] = single.has(name) ? `${known}, ${value}` : [String(known), value]
}

/** What node:http2 refuses to send on two lines. */
const single: ReadonlySet<string> = new Set([
  ...['access-control-allow-credentials', 'access-control-max-age', 'access-control-request-method', 'age'],
  ...['authorization', 'content-encoding', 'content-language', 'content-length', 'content-location'],
  ...['content-md5', 'content-range', 'content-type', 'date', 'dnt', 'etag', 'expires', 'from', 'host'],
  ...['if-match', 'if-modified-since', 'if-none-match', 'if-range', 'if-unmodified-since', 'last-modified'],
  ...['location', 'max-forwards', 'range', 'referer', 'proxy-authorization', 'retry-after', 'tk'],
  ...['upgrade-insecure-requests', 'user-agent', 'x-content-type-options'],
])

const mostNames = 512
const names = new Map<string, string>()

/** In lower case, remembered: services send the same few names. */
function lowered(name: string): string {
  const known = names.get(name)
  if (known !== undefined) return known
  const lower = name.toLowerCase()
  if (names.size >= mostNames) names.clear()
  names.set(name, lower)
  return lower
}
