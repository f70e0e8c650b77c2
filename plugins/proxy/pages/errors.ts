import type { CatalogEntry, CatalogProject } from '../../../kernel/contract/plugin.ts'
import { closest } from '../../lib/suggest.ts'
import type { Head } from '../message/request-info.ts'
import { html } from './html.ts'
import { type Answer, failure, table } from './responses.ts'

type UrlOf = (host: string) => string

const soon = ['Retry-After', '1']

/** The request itself cannot be understood. */
export function badRequest(why: string): Answer {
  return failure(400, 'bad-request', { code: 'REQUEST_INVALID', message: `Bad request: ${why}` })
}

/** A body in a transfer coding that cannot be framed anew (RFC 9112 section 6.1). */
export function unknownCoding(): Answer {
  const message = 'The request’s Transfer-Encoding is not supported'
  return failure(501, 'bad-request', { code: 'REQUEST_INVALID', message, hint: 'Only chunked is.' })
}

/** A version that this kind of connection does not speak. */
export function httpVersion(version: string): Answer {
  const message = `HTTP/${version} is not supported on this connection`
  return failure(505, 'bad-request', { code: 'REQUEST_INVALID', message, hint: 'Use HTTP/1.1.' })
}

export function expectation(): Answer {
  return failure(417, 'bad-request', { code: 'REQUEST_INVALID', message: 'Only Expect: 100-continue is supported' })
}

export function connect(): Answer {
  const message = 'CONNECT is not supported: this proxy reaches the services of locald only'
  return failure(405, 'method', { code: 'REQUEST_INVALID', message }, { headers: ['Allow', 'GET, HEAD'] })
}

export function onlyGet(): Answer {
  return failure(
    405,
    'method',
    { code: 'REQUEST_INVALID', message: 'This page can only be read' },
    { headers: ['Allow', 'GET, HEAD'] },
  )
}

export function noSuchPage(): Answer {
  return failure(404, 'not-found', {
    code: 'REQUEST_INVALID',
    message: 'locald has no page here',
    hint: 'The list of services is at /.',
  })
}

export function loop(head: Head): Answer {
  return failure(508, 'loop', {
    code: 'REQUEST_INVALID',
    message: `Loop: this request has passed through locald ${head.hops} times and is back at ${head.name}`,
    hint: 'A service forwards requests to another one with its own host name. Let its proxy set the Host header to the target: in Vite, server.proxy with changeOrigin: true.',
  })
}

/** Most host names of a project end alike: fewer letters may differ than in a word of their length. */
const mostLetters = (length: number) => Math.max(2, length / 4)

/** No service has the name. What runs is shown only under names that no stranger’s DNS can point here. */
export function unknownHost(
  head: Head,
  names: readonly string[],
  { projects, services }: { readonly projects: readonly CatalogProject[]; readonly services: readonly CatalogEntry[] },
  url: UrlOf,
): Answer {
  const trusted = /(^|\.)(localhost|test|local|internal)$/.test(head.name)
  const meant = trusted ? closest(head.name, names, mostLetters) : undefined
  const running = services.filter(entry => entry.hosts.length > 0 && entry.status !== 'stopped')
  const list = running.length === 0 ? html`<p>Nothing is running.</p>` : table(running, url)
  return failure(
    404,
    'unknown-host',
    {
      code: 'UNKNOWN_SERVICE',
      message: `Unknown host ${head.name}`,
      hint: meant === undefined ? unknownHint(head, projects) : `Did you mean ${meant}?`,
    },
    {
      body: trusted
        ? html`${meant === undefined ? '' : html`<p><a href="${url(meant)}/">${url(meant)}</a></p>`}${list}`
        : html``,
    },
  )
}

function unknownHint({ name }: Head, projects: readonly CatalogProject[]): string {
  const above = projects.find(({ domain }) => name.endsWith(`.${domain.toLowerCase()}`))
  return above === undefined
    ? 'Run `locald up` in the project’s folder; `locald status --all` lists all services.'
    : `Set \`wildcard = true\` in [project] to send every name below ${above.domain} to its main service.`
}

/** The project is known, but no service of it answers here. */
export function nobody(
  project: CatalogProject,
  service: string | undefined,
  services: readonly CatalogEntry[],
  url: UrlOf,
): Answer {
  const error =
    service === undefined
      ? {
          message: `No service of ${project.name} owns ${project.domain}`,
          hint: 'The service named web, or like the project, does; or add [routes].',
        }
      : {
          message: `The route leads to ${project.name}:${service}, which was not started`,
          hint: `Run \`locald up ${service}\`.`,
        }
  const shown = services.filter(entry => entry.hosts.length > 0)
  return failure(
    service === undefined ? 404 : 503,
    'no-service',
    { code: 'UNKNOWN_SERVICE', ...error },
    { body: table(shown, url) },
  )
}

/** @param what a service, or a name of one */
export function tooMany(what: string, status: string): Answer {
  const error = {
    code: 'SERVICE_NOT_RUNNING',
    message: `${what} is ${status} and too many requests wait for it`,
  } as const
  return failure(503, 'busy', error, { headers: soon })
}

export function closing(): Answer {
  return failure(503, 'closing', { code: 'DAEMON_CLOSING', message: 'locald is shutting down' }, { headers: soon })
}

/** The proxy itself failed. */
export function internal(): Answer {
  return failure(500, 'internal', {
    code: 'INTERNAL',
    message: 'The proxy failed',
    hint: 'The daemon’s log has the details.',
  })
}
