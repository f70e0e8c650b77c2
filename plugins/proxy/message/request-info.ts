import { hopsOf, type RawHeaders, tokensOf, valuesOf } from './headers.ts'
import { hostName } from './host-name.ts'

/** The header with which a page of the proxy polls whether to reload: its value is the event it waits for. */
export const progressHeader = 'x-locald-progress'

/** What the proxy routes a request by, in any version of HTTP. */
export interface RequestInfo {
  readonly method: string
  /** Path and query; `*` for the server as a whole. */
  readonly path: string
  /** The authority as the client wrote it. */
  readonly host: string
  /** The authority's name in lower case, without port and trailing dot. */
  readonly name: string
  readonly hops: number
  readonly wantsHtml: boolean
  /** Whether a browser navigates to a page, rather than a script fetching data. */
  readonly isNavigation: boolean
  /** The event that a page of the proxy waits for, when it polls. */
  readonly progress: string | undefined
  /** All of its header. */
  readonly fields: RawHeaders
}

/** Reads a request's head; returns a string with the reason when it is invalid. */
export function requestInfoOf(method: string, target: string, raw: RawHeaders): RequestInfo | string {
  const hosts = valuesOf(raw, 'host')
  if (hosts.length > 1) return 'more than one Host header'
  const absolute = /^https?:\/\/([^/?#]*)([^#]*)$/i.exec(target)
  // RFC 9112 section 3.2.2: the target's authority outranks the Host header.
  const host = absolute?.[1] ?? hosts[0]
  if (host === undefined || host === '') return 'no Host header'
  const name = hostName(host)
  if (name === undefined) return 'the Host header is not a host name'
  const path = absolute === null ? target : originForm(absolute[2] ?? '')
  if (!path.startsWith('/') && !(path === '*' && method === 'OPTIONS')) return 'the request target is not a path'
  const accept = valuesOf(raw, 'accept').join(',').toLowerCase()
  const mode = valuesOf(raw, 'sec-fetch-mode')[0]?.toLowerCase()
  const wantsHtml = /\b(text\/html|application\/xhtml\+xml)\b/.test(accept)
  return {
    method,
    path,
    host,
    name,
    hops: hopsOf(raw),
    wantsHtml,
    isNavigation:
      method === 'GET' &&
      wantsHtml &&
      (mode === undefined ? accept.trimStart().startsWith('text/html') : mode === 'navigate'),
    progress: method === 'GET' ? tokensOf(raw, progressHeader)[0] : undefined,
    fields: raw,
  }
}

function originForm(rest: string): string {
  return rest.startsWith('/') ? rest : `/${rest}`
}
