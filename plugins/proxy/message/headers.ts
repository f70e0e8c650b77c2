import { cookieFor } from './own-cookies.ts'

/** Headers as on the wire: name, value, name, value …, with case, order and duplicates. */
export type RawHeaders = readonly string[]

/** Counts how often a request has passed through the proxy. */
export const hopsHeader = 'X-Locald-Hops'

/** What the service learns about the client. */
export interface ForwardedFor {
  readonly remote: string
  readonly scheme: 'http' | 'https'
  /** The Host to forward, as the client sent it. */
  readonly host: string
  /** Port the client connected to. */
  readonly port: number
  /** How often the request has passed through the proxy. */
  readonly hops: number
  /** What was stripped from the front of the path. */
  readonly prefix: string | undefined
}

/** How the body of a message is framed. `length` is forwarded as it is, `chunked` reframed. */
export type Framing = 'none' | 'length' | 'chunked' | 'unknown'

// RFC 9110 section 7.6.1, and obsolete ones still in use.
const hopByHop = new Set(['connection', 'keep-alive', 'te', 'transfer-encoding', 'upgrade', 'http2-settings'])
// RFC 9110 section 6.5.1: no framing or routing after the body.
const neverTrailers = new Set(['host', 'content-length', 'content-encoding', 'content-type', 'trailer', 'set-cookie'])
// A Connection header that lists these would change a message's framing or destination.
const neverListed = new Set(['host', 'content-length', 'trailer'])
const bodyless = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT'])

/** Returns all values of a header, in order; `name` in lower case. */
export function valuesOf(raw: RawHeaders, name: string): string[] {
  const values: string[] = []
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const key = raw[i] ?? ''
    if (key.length === name.length && key.toLowerCase() === name) values.push(raw[i + 1] ?? '')
  }
  return values
}

/** Returns the comma-separated tokens of a header, in lower case. */
export function tokensOf(raw: RawHeaders, name: string): string[] {
  return valuesOf(raw, name)
    .flatMap(value => value.split(','))
    .map(token => trim(token).toLowerCase())
    .filter(token => token !== '')
}

/** Removes spaces and tabs around a text. Not trim(): byte 0xA0 is no space, but may be the last one of a character. */
export function trim(text: string): string {
  let from = 0
  let to = text.length
  while (from < to && isBlank(text.charCodeAt(from))) from++
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--
  return from === 0 && to === text.length ? text : text.slice(from, to)
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9
}

/** Returns how a message's body is framed; `unknown` for a transfer coding that the proxy cannot reframe. */
export function framingOf(raw: RawHeaders): Framing {
  const codings = tokensOf(raw, 'transfer-encoding')
  if (codings.length > 0) return codings.length === 1 && codings[0] === 'chunked' ? 'chunked' : 'unknown'
  return valuesOf(raw, 'content-length').length > 0 ? 'length' : 'none'
}

/** Returns how often a request has passed through the proxy: the highest of its counts, 0 for none. */
export function hopsOf(raw: RawHeaders): number {
  let hops = 0
  for (const value of tokensOf(raw, 'x-locald-hops')) if (/^\d{1,3}$/.test(value)) hops = Math.max(hops, Number(value))
  return hops
}

/** The Connection header for the service, or the protocol to switch to. */
export type ConnectionHeader = 'keep-alive' | { readonly upgrade: string }

/** Returns a request's headers for the service. */
export function requestHeaders(
  raw: RawHeaders,
  method: string,
  forwardedFor: ForwardedFor,
  connection: ConnectionHeader,
): string[] {
  const framing = framingOf(raw)
  const listed = connectionNames(raw)
  const out: string[] = []
  let host = false
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? ''
    const key = name.toLowerCase()
    if (key === 'host') {
      host = true
      out.push(name, forwardedFor.host)
    } else if (key === 'cookie') {
      const cookie = cookieFor(forwardedFor.host, raw[i + 1] ?? '')
      if (cookie !== undefined && !isDropped(key, listed)) out.push(name, cookie)
    } else if (key === 'transfer-encoding' && framing === 'chunked') out.push(name, 'chunked')
    else if (!isDropped(key, listed) && !isProxyHeader(key) && (key !== 'trailer' || framing === 'chunked'))
      out.push(name, raw[i + 1] ?? '')
  }
  if (!host) out.unshift('Host', forwardedFor.host)
  // RFC 9110 section 8.6: expected where the method anticipates a body.
  if (framing === 'none' && !bodyless.has(method)) out.push('Content-Length', '0')
  if (typeof connection === 'object') out.push('Connection', 'Upgrade', 'Upgrade', connection.upgrade)
  else if (tokensOf(raw, 'te').some(token => /^trailers\b/.test(token)))
    out.push('TE', 'trailers', 'Connection', `${connection}, TE`)
  else out.push('Connection', connection)
  out.push(...forwardedHeaders(forwardedFor))
  return out
}

/** Returns the trailers that may be forwarded, as pairs. */
export function trailersOf(raw: RawHeaders): [string, string][] {
  const out: [string, string][] = []
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? ''
    const key = name.toLowerCase()
    if (!isDropped(key, undefined) && !isProxyHeader(key) && !neverTrailers.has(key)) out.push([name, raw[i + 1] ?? ''])
  }
  return out
}

/**
 * Moves Content-Length to the end: node:http reads a Content-Disposition after it as UTF-8, and writes that as Latin-1.
 */
export function moveLengthLast(headers: string[]): string[] {
  const at = headers.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === 'content-length')
  return at === -1 ? headers : [...headers.slice(0, at), ...headers.slice(at + 2), ...headers.slice(at, at + 2)]
}

/** Returns a head's lines, to be written in latin1. */
export function headLines(first: string, headers: RawHeaders): string {
  let text = `${first}\r\n`
  for (let i = 0; i + 1 < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`
  return `${text}\r\n`
}

/** Splits a head's lines, CR LF after each, into names and values. */
export function pairsOf(lines: string): string[] {
  const pairs: string[] = []
  for (let at = 0; at < lines.length; ) {
    const end = lines.indexOf('\r\n', at)
    const colon = lines.indexOf(':', at)
    pairs.push(lines.slice(at, colon), trim(lines.slice(colon + 1, end)))
    at = end + 2
  }
  return pairs
}

/** Removes the request to switch protocols from a request's headers. */
export function removeUpgrade(raw: RawHeaders): string[] {
  const out: string[] = []
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? ''
    const key = name.toLowerCase()
    const value = raw[i + 1] ?? ''
    if (key === 'upgrade' || key === 'http2-settings') continue
    if (key !== 'connection') out.push(name, value)
    else {
      const kept = value.split(',').filter(token => !/^\s*(upgrade|http2-settings|)\s*$/i.test(token))
      if (kept.length > 0) out.push(name, kept.join(','))
    }
  }
  return out
}

/** Returns the headers that describe the client: RFC 7239, and the X- family it never replaced. */
export function forwardedHeaders(forwardedFor: ForwardedFor): string[] {
  const node = forwardedFor.remote.includes(':') ? `"[${forwardedFor.remote}]"` : forwardedFor.remote
  const out = [
    'X-Forwarded-For',
    forwardedFor.remote,
    'X-Forwarded-Proto',
    forwardedFor.scheme,
    'X-Forwarded-Host',
    forwardedFor.host,
    'X-Forwarded-Port',
    String(forwardedFor.port),
    'Forwarded',
    `for=${node};host="${forwardedFor.host}";proto=${forwardedFor.scheme}`,
    hopsHeader,
    String(forwardedFor.hops + 1),
  ]
  if (forwardedFor.prefix !== undefined) out.push('X-Forwarded-Prefix', forwardedFor.prefix)
  return out
}

function isDropped(key: string, listed: ReadonlySet<string> | undefined): boolean {
  return hopByHop.has(key) || key.startsWith('proxy-') || (listed?.has(key) ?? false)
}

/**
 * Whether only the proxy may set a header (in lower case): a client could forge it. Also with underscores, which CGI,
 * WSGI and PHP cannot distinguish.
 */
export function isProxyHeader(key: string): boolean {
  if (key === 'forwarded') return true
  if (!key.startsWith('x')) return false
  const name = key.replaceAll('_', '-')
  return name.startsWith('x-forwarded-') || name === 'x-locald-hops'
}

function connectionNames(raw: RawHeaders): ReadonlySet<string> | undefined {
  const names = tokensOf(raw, 'connection').filter(name => !neverListed.has(name))
  return names.length === 0 ? undefined : new Set(names)
}
