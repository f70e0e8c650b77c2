import { STATUS_CODES } from 'node:http'
import type { CatalogEntry, CatalogProject } from '../../../kernel/contract/plugin.ts'
import type { ErrorJson } from '../../../kernel/errors.ts'
import { document, type Page } from '../../lib/page/document.ts'
import { html, type Markup, prose } from '../../lib/page/html.ts'
import { script } from './script.ts'

/** A response that the proxy itself makes, for all versions of HTTP. */
export interface LocalResponse {
  readonly status: number
  /** The kind of response, sent as `X-Locald`. */
  readonly what: string
  /** Additional headers: name, value, name, value … */
  readonly headers?: readonly string[]
  /** The body for clients that do not accept HTML; null for none. */
  readonly json: unknown
  readonly page: (() => Page) | undefined
  /** Key of the service that it is about; null: of all. */
  readonly about?: string | null | undefined
}

/** A response ready to be sent. */
export interface Rendered {
  readonly status: number
  readonly reason: string
  readonly headers: string[]
  readonly body: Buffer
}

/** What a page shows of a service besides its error. */
export interface ServiceDetails {
  readonly reason: string | null
  readonly lines: readonly string[]
}

/** Renders a response as a page or as JSON. */
export function render(response: LocalResponse, wantsHtml: boolean): Rendered {
  const headers = ['X-Locald', response.what, 'Cache-Control', 'no-store', 'X-Content-Type-Options', 'nosniff']
  headers.push('Referrer-Policy', 'no-referrer', ...(response.headers ?? []))
  let body = ''
  if (wantsHtml && response.page !== undefined) {
    const rendered = document(response.page(), script)
    headers.push(...rendered.headers)
    body = rendered.text
  } else if (response.json !== null) {
    headers.push('Content-Type', 'application/json')
    body = `${JSON.stringify(response.json)}\n`
  }
  const bytes = Buffer.from(body)
  if (response.status !== 204) headers.push('Content-Length', String(bytes.length))
  return { status: response.status, reason: STATUS_CODES[response.status] ?? 'Unknown', headers, body: bytes }
}

/**
 * The event after which a page reloads. `ready`: the service has started; `start`: it is restarted; `fault`: it can be
 * reached; `open`: it accepts connections; `run`: it was restarted by a user or a file change, perhaps with other code.
 */
export type Awaited = 'ready' | 'start' | 'fault' | 'open' | 'run'

/** A page that reloads itself. */
export interface Live {
  /** The event it waits for: one of `Awaited`, followed by a number for `run`. */
  readonly awaits: string
  /** The text that announces the reload. */
  readonly note: string
}

/** Optional parts of an error response. */
export interface FailureExtras {
  /** The page's heading, if not the message. */
  readonly heading?: string
  readonly details?: ServiceDetails
  readonly body?: Markup
  readonly headers?: readonly string[]
  readonly live?: Live
  /** Key of the service that it is about; null: of all. */
  readonly about?: string | null
}

/** Makes an error response. */
export function failure(
  status: number,
  what: string,
  error: Pick<ErrorJson, 'code' | 'message' | 'hint'>,
  more: FailureExtras = {},
): LocalResponse {
  const { code, message, hint } = error
  const { heading = message, details, live } = more
  return {
    status,
    what,
    about: more.about,
    headers: more.headers ?? [],
    json: { error: { code, message, ...(hint === undefined ? {} : { hint }) } },
    page: () => ({
      title: heading.replaceAll('`', ''),
      awaits: live?.awaits,
      footer: `HTTP ${status}`,
      body: html`<h1>${prose(heading)}</h1>
${details === undefined ? '' : detailsPart(details, live?.awaits === 'ready')}
${hint === undefined ? '' : html`<p>${prose(hint)}</p>`}
${live === undefined ? '' : html`<p class="soft" id="note">${live.note}</p>`}
${more.body ?? ''}`,
    }),
  }
}

/** Redirects to the same URL over HTTPS, with the same method and body (RFC 9110 section 15.4.9). */
export function redirectResponse(location: string): LocalResponse {
  return { status: 308, what: 'redirect', headers: ['Location', location], json: null, page: undefined }
}

/** Answers the poll of a page: 202 while it should stay, with the details to show, 204 when it should reload. */
export function reloadResponse(state: ServiceDetails | 'stay' | 'reload'): LocalResponse {
  if (state === 'reload') return { status: 204, what: 'settled', json: null, page: undefined }
  const json = state === 'stay' ? {} : { reason: state.reason ?? '', lines: state.lines }
  return { status: 202, what: 'starting', json, page: undefined }
}

/**
 * Lists all projects and services, at `localhost`. @param hasDashboard whether a browser that signs in sees more there
 */
export function indexResponse(
  projects: readonly CatalogProject[],
  services: readonly CatalogEntry[],
  url: (host: string) => string,
  hasDashboard: boolean,
): LocalResponse {
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
      body: html`<h1>Projects</h1>
${hasDashboard ? html`<p class="soft">Run <code>locald dashboard</code> to sign in: logs, requests and terminals are there.</p>` : ''}
${projects.length === 0 ? html`<p>No project has been started yet. Run <code>locald up</code> in a project’s folder.</p>` : ''}
${sortRunningFirst(projects, services).map(
  project => html`<h2>${project.name}</h2><p class="soft">${project.path}</p>
${table(
  services.filter(entry => entry.project === project.name),
  url,
)}`,
)}`,
    }),
  }
}

function sortRunningFirst(
  projects: readonly CatalogProject[],
  services: readonly CatalogEntry[],
): readonly CatalogProject[] {
  const running = new Set(services.filter(({ status }) => status !== 'stopped').map(({ project }) => project))
  return [...projects.filter(({ name }) => running.has(name)), ...projects.filter(({ name }) => !running.has(name))]
}

/** Renders a table of services: key, status, links, reason. */
export function table(services: readonly CatalogEntry[], url: (host: string) => string): Markup {
  return html`<table>${services.map(
    entry =>
      html`<tr><td>${entry.key}</td><td class="${toneOf(entry)}">${statusOf(entry)}</td><td>${entry.hosts.map(
        host => html`<a href="${url(host)}/">${host}</a> `,
      )}</td><td class="soft">${prose(entry.reason ?? '')}</td></tr>`,
  )}</table>`
}

function statusOf(entry: CatalogEntry): string {
  return entry.health === null ? entry.status : `${entry.status}, ${entry.health}`
}

function toneOf({ status, health }: CatalogEntry): string {
  if (status === 'failed' || health === 'unhealthy') return 'bad'
  if (status === 'running') return 'good'
  return status === 'stopped' || status === 'exited' ? 'soft' : 'warn'
}

/** @param isUpdated whether the page's script updates them */
function detailsPart({ reason, lines }: ServiceDetails, isUpdated: boolean): Markup {
  const shownReason = isUpdated
    ? html`<p id="reason">${prose(reason ?? '')}</p>`
    : reason === null
      ? ''
      : html`<p>${prose(reason)}</p>`
  if (lines.length === 0) return html`${shownReason}${isUpdated ? html`<pre id="lines" hidden></pre>` : ''}`
  return html`${shownReason}<pre id="lines">${lines.join('\n')}</pre>`
}
