import { STATUS_CODES } from 'node:http'
import type { CatalogEntry, CatalogProject } from '../../../kernel/contract/plugin.ts'
import type { ErrorJson } from '../../../kernel/errors.ts'
import { document, html, type Markup, type Page, prose } from './html.ts'

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
    const made = document(answer.page())
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

/**
 * What a page waits for before it reloads. `ready`: its service has started; `start`: it is started again; `fault`: it can be reached;
 * `open`: it accepts connections; `run`: it was started again by request, perhaps with other code.
 */
export type Awaited = 'ready' | 'start' | 'fault' | 'open' | 'run'

/** A page that reloads itself. */
export interface Live {
  /** What it asks for: `Awaited`, with a number where it needs one. */
  readonly awaits: string
  /** That it does so, for a person. */
  readonly note: string
}

/** What an answer about an error has besides it. */
export interface More {
  /** What the page is headed with, where that is not the whole message. */
  readonly heading?: string
  readonly about?: About
  readonly body?: Markup
  readonly headers?: readonly string[]
  readonly live?: Live
}

/** An answer about an error. */
export function failure(
  status: number,
  what: string,
  error: Pick<ErrorJson, 'code' | 'message' | 'hint'>,
  more: More = {},
): Answer {
  const { code, message, hint } = error
  const { heading = message, about, live } = more
  return {
    status,
    what,
    headers: more.headers ?? [],
    json: { error: { code, message, ...(hint === undefined ? {} : { hint }) } },
    page: () => ({
      title: heading.replaceAll('`', ''),
      awaits: live?.awaits,
      foot: `HTTP ${status}`,
      body: html`<h1>${prose(heading)}</h1>
${about === undefined ? '' : aboutPart(about, live?.awaits === 'ready')}
${hint === undefined ? '' : html`<p>${prose(hint)}</p>`}
${live === undefined ? '' : html`<p class="soft" id="note">${live.note}</p>`}
${more.body ?? ''}`,
    }),
  }
}

/** The same over HTTPS, with the same method and body (RFC 9110 section 15.4.9). */
export function redirectAnswer(location: string): Answer {
  return { status: 308, what: 'redirect', headers: ['Location', location], json: null, page: undefined }
}

/** News for a page that reloads itself: 202 while it should stay, with what is to be shown on it, 204 when it should reload. */
export function newsAnswer(news: About | 'stay' | 'reload'): Answer {
  if (news === 'reload') return { status: 204, what: 'settled', json: null, page: undefined }
  const json = news === 'stay' ? {} : { reason: news.reason ?? '', lines: news.lines }
  return { status: 202, what: 'starting', json, page: undefined }
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
      body: html`<h1>Projects</h1>
${projects.length === 0 ? html`<p>No project has been started yet. Run <code>locald up</code> in a project’s folder.</p>` : ''}
${runningFirst(projects, services).map(
  project => html`<h2>${project.name}</h2><p class="soft">${project.path}</p>
${table(
  services.filter(entry => entry.project === project.name),
  url,
)}`,
)}`,
    }),
  }
}

function runningFirst(
  projects: readonly CatalogProject[],
  services: readonly CatalogEntry[],
): readonly CatalogProject[] {
  const running = new Set(services.filter(({ status }) => status !== 'stopped').map(({ project }) => project))
  return [...projects.filter(({ name }) => running.has(name)), ...projects.filter(({ name }) => !running.has(name))]
}

/** Rows of services: key, status, links, reason. */
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

/** @param isNews the page shows them as they change */
function aboutPart({ reason, lines }: About, isNews: boolean): Markup {
  const said = isNews ? html`<p id="reason">${reason ?? ''}</p>` : reason === null ? '' : html`<p>${prose(reason)}</p>`
  if (lines.length === 0) return html`${said}${isNews ? html`<pre id="lines" hidden></pre>` : ''}`
  return html`${said}<pre id="lines">${lines.join('\n')}</pre>`
}
