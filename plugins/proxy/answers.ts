import { STATUS_CODES } from 'node:http'
import type { ErrorJson } from '../../kernel/errors.ts'
import type { CatalogEntry, CatalogProject } from '../../kernel/plugin.ts'
import { document, html, type Markup, prose } from './markup.ts'

/** An answer of the proxy's own, the same for every lane. */
export interface Answer {
  readonly status: number
  /** The value of `X-Locald`. */
  readonly what: string
  /** Further headers, raw. */
  readonly headers?: readonly string[]
  /** What a client that wants no HTML gets; null for no body at all. */
  readonly json: unknown
  readonly page: (() => Page) | undefined
}

interface Page {
  readonly title: string
  readonly body: Markup
  readonly live?: boolean
}

/** An answer ready for the wire. */
export interface Rendered {
  readonly status: number
  readonly reason: string
  readonly headers: string[]
  readonly body: Buffer
}

/** What is said about a service besides its error. */
export interface About {
  readonly reason: string | null
  readonly lines: readonly string[]
}

/** The answer as a page or as JSON. */
export function render(answer: Answer, wantsHtml: boolean): Rendered {
  const headers = ['X-Locald', answer.what, 'Cache-Control', 'no-store', 'X-Content-Type-Options', 'nosniff']
  headers.push('Referrer-Policy', 'no-referrer', ...(answer.headers ?? []))
  let body = ''
  if (wantsHtml && answer.page !== undefined) {
    const { title, body: content, live } = answer.page()
    const made = document(title, content, live)
    headers.push(...made.headers)
    body = made.text
  } else if (answer.json !== null) {
    headers.push('Content-Type', 'application/json')
    body = `${JSON.stringify(answer.json)}\n`
  }
  const bytes = Buffer.from(body)
  if (answer.status !== 204) headers.push('Content-Length', String(bytes.length))
  return { status: answer.status, reason: STATUS_CODES[answer.status] ?? 'Unknown', headers, body: bytes }
}

/** An answer that tells of an error. */
export function failure(
  status: number,
  what: string,
  error: Pick<ErrorJson, 'code' | 'message' | 'hint'>,
  more: {
    readonly about?: About
    readonly body?: Markup
    readonly headers?: readonly string[]
    readonly live?: boolean
  } = {},
): Answer {
  return {
    status,
    what,
    headers: more.headers ?? [],
    json: {
      error: { code: error.code, message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) },
    },
    page: () => ({
      title: `${status} ${error.message}`,
      live: more.live ?? false,
      body: html`<h1>${error.message}</h1>
${more.about === undefined ? '' : aboutPart(more.about, more.live ?? false)}
${error.hint === undefined ? '' : html`<p>${prose(error.hint)}</p>`}
${more.body ?? ''}
<p class="soft">${status} from locald</p>`,
    }),
  }
}

/** A page of which the service's progress is a part. */
export function progressAnswer(entry: CatalogEntry, about: About): Answer {
  return failure(
    503,
    'starting',
    {
      code: 'SERVICE_NOT_RUNNING',
      message: `${entry.key} is ${entry.status}`,
      hint: 'This page reloads by itself when the service is ready.',
    },
    { about, live: true, headers: ['Retry-After', '1'] },
  )
}

/** The same over HTTPS, with the same method and body (RFC 9110 section 15.4.9). */
export function redirectAnswer(location: string): Answer {
  return { status: 308, what: 'redirect', headers: ['Location', location], json: null, page: undefined }
}

/** News for the progress page: 202 while it should stay, 204 when it should reload. */
export function newsAnswer(about: About | undefined): Answer {
  if (about === undefined) return { status: 204, what: 'settled', json: null, page: undefined }
  return { status: 202, what: 'starting', json: { reason: about.reason ?? '', lines: about.lines }, page: undefined }
}

/** Everything there is, for a person who opens `localhost`. */
export function indexAnswer(
  projects: readonly CatalogProject[],
  services: readonly CatalogEntry[],
  url: (host: string) => string,
): Answer {
  return {
    status: 200,
    what: 'index',
    json: {
      services: services.map(({ key, status, health, reason, hosts }) => ({
        key,
        status,
        health,
        reason,
        urls: hosts.map(url),
      })),
    },
    page: () => ({
      title: 'locald',
      body: html`<h1>locald</h1>
${projects.length === 0 ? html`<p>No project has been started yet. Run <code>locald up</code> in a project’s folder.</p>` : ''}
${projects.map(
  project => html`<h2>${project.name}</h2><p class="soft">${project.path}</p>
${table(
  services.filter(entry => entry.project === project.name),
  url,
)}`,
)}`,
    }),
  }
}

/** Rows of services: key, status, links, reason. */
export function table(services: readonly CatalogEntry[], url: (host: string) => string): Markup {
  return html`<table>${services.map(
    entry =>
      html`<tr><td>${entry.key}</td><td>${statusOf(entry)}</td><td>${entry.hosts.map(
        host => html`<a href="${url(host)}/">${host}</a> `,
      )}</td><td class="soft">${entry.reason ?? ''}</td></tr>`,
  )}</table>`
}

function statusOf(entry: CatalogEntry): string {
  return entry.health === null ? entry.status : `${entry.status}, ${entry.health}`
}

function aboutPart(about: About, live: boolean): Markup {
  const reason = live || about.reason !== null ? html`<p id="reason">${about.reason ?? ''}</p>` : ''
  if (about.lines.length === 0) return html`${reason}${live ? html`<pre id="lines" hidden></pre>` : ''}`
  return html`${reason}<pre id="lines">${about.lines.join('\n')}</pre>`
}
