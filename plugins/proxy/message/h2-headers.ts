import type { OutgoingHttpHeaders } from 'node:http2'
import { isProxyHeader, type RawHeaders, trim } from './headers.ts'
import { ownCookieMark } from './own-cookies.ts'

/** A request of HTTP/2 in terms of HTTP/1.1. */
export interface Http2Request {
  readonly method: string
  /** Path and query. */
  readonly path: string
  /** All fields, `host` first. */
  readonly fields: RawHeaders
  /** Whether a body follows, with a Content-Length or chunked. */
  readonly body: 'none' | 'length' | 'chunked'
  /** RFC 8441: the protocol to switch the stream to. */
  readonly protocol: string | undefined
  /** Set when they arrive, after the body. */
  trailers: RawHeaders
}

/** Reads a header list; returns a string with the reason when it is invalid. `more`: the stream continues after it. */
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
    // RFC 9113 section 8.2.3: clients may split a cookie.
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

/** A GET or HEAD without a body, and with no field that needs more than forwarding. */
export interface NarrowHttp2Request {
  readonly method: 'GET' | 'HEAD'
  readonly path: string
  readonly host: string
  /** The fields to forward, CR LF after each; without Host. */
  readonly fields: string
}

/** Reads the header list of such a request; returns undefined for all others. */
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
      if (specialFields.has(name) || isProxyHeader(name) || name.startsWith('proxy-')) return undefined
      if (name === 'cookie') cookie = cookie === '' ? value : `${cookie}; ${value}`
      else fields += `${name}: ${value}\r\n`
    } else if (name === ':method') method = value
    else if (name === ':path') path = value
    else if (name === ':authority') host = value
    else if (name !== ':scheme') return undefined
  }
  if (cookie.includes(ownCookieMark)) return undefined
  if (cookie !== '') fields += `cookie: ${cookie}\r\n`
  if ((method !== 'GET' && method !== 'HEAD') || !target.test(path)) return undefined
  return { method, path, host, fields }
}

const colon = 58
const target = /^\/[!"$-~]*$/
// Fields about the connection or the body, or for the proxy.
const specialFields = new Set([
  ...['host', 'te', 'expect', 'trailer', 'upgrade', 'content-length', 'transfer-encoding', 'connection'],
  ...['keep-alive', 'http2-settings', 'x-locald-progress'],
])

/**
 * Headers for node:http2: names in lower case, repeated ones as a list. Values have one character for each byte, as
 * node:http2 reads and writes them (Latin-1, on Node 20 to 26) and as in the rest of the proxy.
 */
type Fields = Record<string, string | string[] | number>

/** Converts fields, given as lines or as names and values, for node:http2, and adds them to `more`. */
export function fieldsOf(fields: string | RawHeaders, more?: Fields): OutgoingHttpHeaders {
  // Without a prototype: a field may be named `constructor`.
  const headers: Fields = Object.assign(Object.create(null), more)
  if (typeof fields !== 'string') {
    for (let i = 0; i + 1 < fields.length; i += 2) add(headers, (fields[i] ?? '').toLowerCase(), fields[i + 1] ?? '')
    return headers
  }
  for (let at = 0; at < fields.length; ) {
    const end = fields.indexOf('\r\n', at)
    const colon = fields.indexOf(':', at)
    add(headers, toLower(fields.slice(at, colon)), trim(fields.slice(colon + 1, end)))
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

/** Fields that node:http2 rejects on two lines. */
const single: ReadonlySet<string> = new Set([
  ...['access-control-allow-credentials', 'access-control-max-age', 'access-control-request-method', 'age'],
  ...['authorization', 'content-encoding', 'content-language', 'content-length', 'content-location'],
  ...['content-md5', 'content-range', 'content-type', 'date', 'dnt', 'etag', 'expires', 'from', 'host'],
  ...['if-match', 'if-modified-since', 'if-none-match', 'if-range', 'if-unmodified-since', 'last-modified'],
  ...['location', 'max-forwards', 'range', 'referer', 'proxy-authorization', 'retry-after', 'tk'],
  ...['upgrade-insecure-requests', 'user-agent', 'x-content-type-options'],
])

const maxNames = 512
const names = new Map<string, string>()

/** Returns a name in lower case; cached, because services send the same few. */
function toLower(name: string): string {
  const known = names.get(name)
  if (known !== undefined) return known
  const lower = name.toLowerCase()
  if (names.size >= maxNames) names.clear()
  names.set(name, lower)
  return lower
}
