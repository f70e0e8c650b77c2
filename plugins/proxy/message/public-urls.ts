import type { ResponseHead } from './response-head.ts'

/** The part of a service's destination that its own URLs are compared with: its port, and the prefix cut off the path. */
export interface ServiceOrigin {
  readonly address: { readonly port: number }
  readonly prefix: string | undefined
}

/** What a client sees of a service: the scheme it uses, and the authority as it wrote it. */
export interface PublicOrigin {
  readonly scheme: 'http' | 'https'
  readonly host: string
}

/** The fields that name a place to go to, or where a cookie holds. */
const naming = /^(location|content-location|refresh|set-cookie):([ \t]*)(.*)$/gim
/** Browsers heed it with any status. */
const refreshing = /^refresh:/im
/** A URL with a port: its host, the port, and from the path on. */
const ported = /^(?:https?:)?\/\/([^/?#]*):(\d{1,5})(?=[/?#]|$)(.*)$/i
/** This machine. */
const local = /^(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\])$/i
const absolute = /^(?:https?:)?\/\/([^/?#]*)(.*)$/i

/**
 * The fields of a response for the client. A service that knows itself as `http://localhost:$PORT`, or puts its port to the name that it was
 * asked for (nginx: `port_in_redirect`), redirects there: such a URL, of its own port, becomes one of the name that the client asked for.
 * What a service below a stripped prefix says of places and cookies' paths is put below the prefix, unless it is there already. Any other
 * place stays as it is.
 */
export function publicFields({ status, fields }: ResponseHead, to: ServiceOrigin, seen: PublicOrigin): string {
  const isRedirect = (status >= 300 && status < 400) || status === 201
  if (!isRedirect && to.prefix === undefined && !refreshing.test(fields)) return fields
  return fields.replace(naming, (line, name: string, space: string, value: string) => {
    const changed = changedBy(name.toLowerCase(), value, to, seen)
    return changed === value ? line : `${name}:${space}${changed}`
  })
}

function changedBy(name: string, value: string, to: ServiceOrigin, seen: PublicOrigin): string {
  if (name === 'set-cookie') return to.prefix === undefined ? value : cookieBelow(to.prefix, value)
  if (name !== 'refresh') return placeOf(value, to, seen)
  return value.replace(/^([^;,]*[;,]\s*url\s*=\s*["']?)([^"']*)/i, (_, start: string, url: string) => {
    return `${start}${placeOf(url, to, seen)}`
  })
}

function placeOf(url: string, { address, prefix }: ServiceOrigin, { scheme, host }: PublicOrigin): string {
  const [, name = '', port, rest] = ported.exec(url) ?? []
  const isHere = local.test(name) || name.toLowerCase() === host.toLowerCase().replace(/:\d*$/, '')
  if (rest !== undefined && Number(port) === address.port && isHere)
    return `${scheme}://${host}${below(prefix, rest.startsWith('/') ? rest : `/${rest}`)}`
  if (prefix === undefined) return url
  if (url.startsWith('/') && !url.startsWith('//')) return below(prefix, url)
  const [, authority, path] = absolute.exec(url) ?? []
  if (path === undefined || authority?.toLowerCase() !== host.toLowerCase()) return url
  return `${url.slice(0, url.length - path.length)}${below(prefix, path.startsWith('/') ? path : `/${path}`)}`
}

function below(prefix: string | undefined, path: string): string {
  if (prefix === undefined) return path
  const isBelow = path.startsWith(prefix) && /^([/?#]|$)/.test(path.slice(prefix.length))
  return isBelow ? path : `${prefix}${path}`
}

/** A cookie whose name begins with `__Host-` holds for all paths, or not at all (RFC 6265bis section 4.1.3.2). */
function cookieBelow(prefix: string, cookie: string): string {
  if (/^__host-/i.test(cookie)) return cookie
  return cookie.replace(/(;\s*path\s*=\s*)(\/[^;]*)/i, (_, start: string, path: string) => {
    return `${start}${path.trim() === '/' ? prefix : below(prefix, path)}`
  })
}
