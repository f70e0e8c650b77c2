import type { CatalogEntry, CatalogProject } from '../../../kernel/contract/plugin.ts'
import { html } from '../../lib/page/html.ts'
import { closest } from '../../lib/suggest.ts'
import type { RequestInfo } from '../message/request-info.ts'
import { failure, type LocalResponse, table } from './responses.ts'

type UrlOf = (host: string) => string

const retrySoon = ['Retry-After', '1']

/** Rejects a malformed request. */
export function badRequest(why: string): LocalResponse {
  return failure(400, 'bad-request', { code: 'REQUEST_INVALID', message: `Bad request: ${why}` })
}

/** Rejects a body in a transfer coding that the proxy cannot reframe (RFC 9112 section 6.1). */
export function unsupportedCoding(): LocalResponse {
  const message = 'The request’s Transfer-Encoding is not supported'
  return failure(501, 'bad-request', { code: 'REQUEST_INVALID', message, hint: 'Use chunked.' })
}

/** Rejects a version that this kind of connection does not support. */
export function unsupportedVersion(version: string): LocalResponse {
  const message = `HTTP/${version} is not supported on this connection`
  return failure(505, 'bad-request', { code: 'REQUEST_INVALID', message, hint: 'Use HTTP/1.1.' })
}

/** Rejects a request to a front for a host that the front does not have (RFC 9110 section 15.5.20). */
export function misdirected(host: string): LocalResponse {
  const message = `${host} is not served here`
  return failure(421, 'misdirected', { code: 'REQUEST_INVALID', message, hint: 'Open the URL that was shared.' })
}

/** Rejects a request to a front for what is not of its service; names nothing else that there is. */
export function notShared(): LocalResponse {
  return failure(404, 'not-found', { code: 'REQUEST_INVALID', message: 'Not found: only one service is shared here' })
}

export function unsupportedExpectation(): LocalResponse {
  return failure(417, 'bad-request', { code: 'REQUEST_INVALID', message: 'Only Expect: 100-continue is supported' })
}

export function connectMethod(): LocalResponse {
  const message = 'CONNECT is not supported: this proxy serves only the services of locald'
  return failure(405, 'method', { code: 'REQUEST_INVALID', message }, { headers: ['Allow', 'GET, HEAD'] })
}

export function methodNotAllowed(): LocalResponse {
  return failure(
    405,
    'method',
    { code: 'REQUEST_INVALID', message: 'This page supports only GET and HEAD' },
    { headers: ['Allow', 'GET, HEAD'] },
  )
}

export function pageNotFound(): LocalResponse {
  return failure(404, 'not-found', {
    code: 'REQUEST_INVALID',
    message: 'Page not found',
    hint: 'Open / for the list of services.',
  })
}

export function noDashboard(): LocalResponse {
  const error = { code: 'DAEMON_BUSY', message: 'The dashboard does not answer', hint: 'Reload the page.' } as const
  return failure(502, 'dashboard', error, { headers: retrySoon })
}

export function requestLoop(info: RequestInfo): LocalResponse {
  return failure(508, 'loop', {
    code: 'REQUEST_INVALID',
    message: `Request loop: passed through locald ${info.hops} times and returned to ${info.name}`,
    hint: 'Set the Host header to the target in the service that forwards the request (Vite: `changeOrigin: true` in `server.proxy`).',
  })
}

/** Most host names of a project end alike: allow fewer edits than in other words of their length. */
const maxDistance = (length: number) => Math.max(2, length / 4)

/** Reports an unknown host. Running services are listed only under names that public DNS cannot point here. */
export function unknownHost(
  info: RequestInfo,
  names: readonly string[],
  { projects, services }: { readonly projects: readonly CatalogProject[]; readonly services: readonly CatalogEntry[] },
  url: UrlOf,
): LocalResponse {
  const trusted = /(^|\.)(localhost|test|local|internal)$/.test(info.name)
  const suggestion = trusted ? closest(info.name, names, maxDistance) : undefined
  const running = services.filter(entry => entry.hosts.length > 0 && entry.status !== 'stopped')
  const list = running.length === 0 ? html`<p>No services are running.</p>` : table(running, url)
  return failure(
    404,
    'unknown-host',
    {
      code: 'UNKNOWN_SERVICE',
      message: `Unknown host ${info.name}`,
      hint: suggestion === undefined ? unknownHint(info, projects) : `Did you mean ${suggestion}?`,
    },
    {
      ...(trusted ? { about: null } : {}),
      body: trusted
        ? html`${suggestion === undefined ? '' : html`<p><a href="${url(suggestion)}/">${url(suggestion)}</a></p>`}${list}`
        : html``,
    },
  )
}

function unknownHint({ name }: RequestInfo, projects: readonly CatalogProject[]): string {
  const parent = projects.find(({ domain }) => name.endsWith(`.${domain.toLowerCase()}`))
  return parent === undefined
    ? 'Run `locald up` in the project’s folder, or `locald status --known` to list all services.'
    : `Set \`wildcard = true\` in [project] to route every name below ${parent.domain} to its main service.`
}

/** Reports a domain or route of a known project that no running service serves. */
export function unownedDomain(
  project: CatalogProject,
  service: string | undefined,
  services: readonly CatalogEntry[],
  url: UrlOf,
): LocalResponse {
  const error =
    service === undefined
      ? {
          message: `No service of ${project.name} serves ${project.domain}`,
          hint: `Name a service \`web\` or \`${project.name}\`, or add [routes].`,
        }
      : {
          message: `Service ${project.name}:${service} is not running`,
          hint: `Run \`locald up ${service}\`.`,
        }
  const withHosts = services.filter(entry => entry.hosts.length > 0)
  return failure(
    service === undefined ? 404 : 503,
    'no-service',
    { code: 'UNKNOWN_SERVICE', ...error },
    { about: null, body: table(withHosts, url) },
  )
}

/** @param what a service, or its host name */
export function tooManyRequests(what: string, status: string): LocalResponse {
  const error = {
    code: 'SERVICE_NOT_RUNNING',
    message: `Too many requests are waiting for ${what}, which is ${status}`,
  } as const
  return failure(503, 'busy', error, { headers: retrySoon })
}

export function shuttingDown(): LocalResponse {
  return failure(503, 'closing', { code: 'DAEMON_CLOSING', message: 'locald is shutting down' }, { headers: retrySoon })
}

/** Reports an internal error of the proxy. */
export function internalError(): LocalResponse {
  return failure(500, 'internal', {
    code: 'INTERNAL',
    message: 'Internal error of the proxy',
    hint: 'See the daemon’s log for details.',
  })
}
