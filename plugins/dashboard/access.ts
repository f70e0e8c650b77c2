import type { IncomingHttpHeaders } from 'node:http'
import { LocaldError } from '../../kernel/errors.ts'
import type { Web } from '../proxy/provides.ts'
import { hasSession, type Scheme } from './cookies.ts'
import type { Sessions } from './sessions.ts'

/** The names under which the proxy serves the dashboard. */
const ownNames = ['localhost', '127.0.0.1', '[::1]', 'locald.localhost'] as const
const defaultPorts = { http: 80, https: 443 } as const
const reading: ReadonlySet<string> = new Set(['GET', 'HEAD'])

/** What a request is judged by. */
export interface Caller {
  readonly method: string
  readonly headers: IncomingHttpHeaders
  /** Whether it asks for a WebSocket, which no browser limits to the same origin. */
  readonly isUpgrade: boolean
}

/** A refused request, and the HTTP status where it is not that of the code. */
export interface Refusal {
  readonly error: LocaldError
  readonly status?: number
}

/** Returns the scheme that the client of the proxy used. Only the proxy can set the header: it drops a client's. */
export function schemeOf(headers: IncomingHttpHeaders): Scheme {
  return headers['x-forwarded-proto'] === 'https' ? 'https' : 'http'
}

/** Decides which requests the dashboard answers: whom a page of another site, or a foreign name, would make ask. */
export class Access {
  readonly #web: () => Web | undefined
  readonly #sessions: Sessions

  constructor(web: () => Web | undefined, sessions: Sessions) {
    this.#web = web
    this.#sessions = sessions
  }

  /** Refuses a name that is not exactly one of locald's own: after DNS rebinding a browser sends the attacker's. */
  refuseHost({ headers }: Caller): Refusal | undefined {
    if (this.#originOf(headers) !== undefined) return undefined
    const error = new LocaldError('ORIGIN_FORBIDDEN', `the dashboard is not served as '${headers.host ?? ''}'`, {
      hint: 'Run `locald dashboard`.',
    })
    return { error, status: 421 }
  }

  /**
   * Refuses a request that a page of another origin made: by its Origin, which browsers add to all but plain reads, and
   * by Sec-Fetch-Site, which they add to those, too.
   */
  refuseOrigin({ method, headers, isUpgrade }: Caller): Refusal | undefined {
    const { origin } = headers
    const site = headers['sec-fetch-site']
    const mustHave = isUpgrade || !reading.has(method)
    if (origin === undefined ? mustHave : origin !== this.#originOf(headers)) return forbidden(origin)
    if (site === undefined || site === 'same-origin') return undefined
    // `none`: the person has typed the URL.
    return site === 'none' && !mustHave ? undefined : forbidden(origin)
  }

  /** Refuses a request without a session. */
  refuseStranger({ headers }: Caller): Refusal | undefined {
    if (hasSession(schemeOf(headers), headers.cookie, this.#sessions)) return undefined
    const error = new LocaldError('SIGN_IN_REQUIRED', 'this browser is not signed in', {
      hint: 'Run `locald dashboard`.',
    })
    return { error }
  }

  /** Returns the origin that a page of the dashboard has under the requested name; undefined for any other name. */
  #originOf(headers: IncomingHttpHeaders): string | undefined {
    const web = this.#web()
    const scheme = schemeOf(headers)
    const port = web?.[scheme] ?? null
    const host = headers.host?.toLowerCase()
    if (port === null || host === undefined) return undefined
    const isDefault = port === defaultPorts[scheme]
    const name = ownNames.find(each => host === `${each}:${port}` || (isDefault && host === each))
    return name === undefined ? undefined : `${scheme}://${name}${isDefault ? '' : `:${port}`}`
  }
}

function forbidden(origin: string | undefined): Refusal {
  const from = origin === undefined ? 'another page' : `'${origin}'`
  const error = new LocaldError('ORIGIN_FORBIDDEN', `only the dashboard itself may send this request, not ${from}`, {
    hint: 'Run `locald dashboard`.',
  })
  return { error }
}
