import type { ResponseHead } from './response-head.ts'

/** What a service's own URLs are compared with: its port, and the prefix stripped from the path. */
export interface ServiceOrigin {
  readonly address: { readonly port: number }
  readonly prefix: string | undefined
}

/** The origin under which a client sees a service: its scheme, and the authority as the client sent it. */
export interface PublicOrigin {
  readonly scheme: 'http' | 'https'
  readonly host: string
  /** The name by which the service knows itself, where that is another one: its URLs get the client's origin. */
  readonly ownName?: string
}

/** The fields with a URL, or the path of a cookie. */
const urlFields = /^(location|content-location|refresh|set-cookie):([ \t]*)(.*)$/gim
/** Browsers follow it with any status. */
const refreshField = /^refresh:/im
/** A URL with a port: host, port, and the rest from the path on. */
const urlWithPort = /^(?:https?:)?\/\/([^/?#]*):(\d{1,5})(?=[/?#]|$)(.*)$/i
/** Names of this machine. */
const loopbackHost = /^(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\])$/i
const absoluteUrl = /^(?:https?:)?\/\/([^/?#]*)(.*)$/i

/**
 * Rewrites the URLs in a response's fields for the client. A service that knows itself as `http://localhost:$PORT`, or
 * adds its port to the requested name (nginx: `port_in_redirect`), redirects to such URLs: those with its own port get
 * the origin that the client requested. URLs and cookie paths of a service behind a stripped prefix get the prefix,
 * unless they have it. Where the client knows the service by another name than the service itself, URLs with its own
 * name get the client's origin, and its cookies lose a domain that the client would reject. Others stay unchanged.
 */
export function publicFields({ status, fields }: ResponseHead, to: ServiceOrigin, origin: PublicOrigin): string {
  const isRedirect = (status >= 300 && status < 400) || status === 201
  const mayStay = to.prefix === undefined && origin.ownName === undefined
  if (!isRedirect && mayStay && !refreshField.test(fields)) return fields
  return fields.replace(urlFields, (line, name: string, space: string, value: string) => {
    const changed = rewrite(name.toLowerCase(), value, to, origin)
    return changed === value ? line : `${name}:${space}${changed}`
  })
}

function rewrite(name: string, value: string, to: ServiceOrigin, origin: PublicOrigin): string {
  if (name === 'set-cookie') return rewriteCookie(value, to.prefix, origin.ownName)
  if (name !== 'refresh') return rewriteUrl(value, to, origin)
  return value.replace(/^([^;,]*[;,]\s*url\s*=\s*["']?)([^"']*)/i, (_, start: string, url: string) => {
    return `${start}${rewriteUrl(url, to, origin)}`
  })
}

function rewriteUrl(url: string, { address, prefix }: ServiceOrigin, { scheme, host, ownName }: PublicOrigin): string {
  const [, own, ownRest = ''] = absoluteUrl.exec(url) ?? []
  if (own !== undefined && ownName !== undefined && own.toLowerCase().replace(/:\d*$/, '') === ownName)
    return `${scheme}://${host}${withPrefix(prefix, ownRest.startsWith('/') ? ownRest : `/${ownRest}`)}`
  const [, name = '', port, rest] = urlWithPort.exec(url) ?? []
  const isService = loopbackHost.test(name) || name.toLowerCase() === host.toLowerCase().replace(/:\d*$/, '')
  if (rest !== undefined && Number(port) === address.port && isService)
    return `${scheme}://${host}${withPrefix(prefix, rest.startsWith('/') ? rest : `/${rest}`)}`
  if (prefix === undefined) return url
  if (url.startsWith('/') && !url.startsWith('//')) return withPrefix(prefix, url)
  const [, authority, path] = absoluteUrl.exec(url) ?? []
  if (path === undefined || authority?.toLowerCase() !== host.toLowerCase()) return url
  return `${url.slice(0, url.length - path.length)}${withPrefix(prefix, path.startsWith('/') ? path : `/${path}`)}`
}

function withPrefix(prefix: string | undefined, path: string): string {
  if (prefix === undefined) return path
  const hasPrefix = path.startsWith(prefix) && /^([/?#]|$)/.test(path.slice(prefix.length))
  return hasPrefix ? path : `${prefix}${path}`
}

function rewriteCookie(cookie: string, prefix: string | undefined, ownName: string | undefined): string {
  const prefixed = prefix === undefined ? cookie : cookieWithPrefix(prefix, cookie)
  return ownName === undefined ? prefixed : cookieWithoutDomain(ownName, prefixed)
}

/** Removes a domain that has the name in it (RFC 6265 section 5.1.3): the cookie is then for the client's own host. */
function cookieWithoutDomain(name: string, cookie: string): string {
  return cookie.replace(/;\s*domain\s*=\s*\.?([^;]*)/gi, (attribute: string, domain: string) => {
    return `.${name}`.endsWith(`.${domain.trim().toLowerCase()}`) ? '' : attribute
  })
}

/**
 * Adds the prefix to a cookie's path; not for `__Host-` cookies, whose path must be / (RFC 6265bis section 4.1.3.2).
 */
function cookieWithPrefix(prefix: string, cookie: string): string {
  if (/^__host-/i.test(cookie)) return cookie
  return cookie.replace(/(;\s*path\s*=\s*)(\/[^;]*)/i, (_, start: string, path: string) => {
    return `${start}${path.trim() === '/' ? prefix : withPrefix(prefix, path)}`
  })
}
