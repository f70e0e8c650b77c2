import type { Catalog } from '../../../kernel/contract/plugin.ts'
import type { Dashboard, DashboardRequest } from '../../dashboard/provides.ts'
import { html } from '../../lib/page/html.ts'
import { valuesOf } from '../message/headers.ts'
import * as errorPages from '../pages/errors.ts'
import { indexResponse, type LocalResponse } from '../pages/responses.ts'
import type { Web } from '../provides.ts'
import type { Decision, RequestContext } from './decision.ts'

/** Stands for the key of a service, which has a colon. */
const dashboardKey = 'dashboard'

/** Answers under locald's own names: by the dashboard, or the list of services where that is off or not signed in to. */
export class OwnPages {
  readonly #catalog: Catalog
  readonly #web: Web
  readonly #dashboard: () => Dashboard | undefined

  constructor(catalog: Catalog, web: Web, dashboard: () => Dashboard | undefined) {
    this.#catalog = catalog
    this.#web = web
    this.#dashboard = dashboard
  }

  /** Adds a link to the dashboard to a page that is about services. */
  link(response: LocalResponse, scheme: RequestContext['scheme']): LocalResponse {
    const dashboard = this.#dashboard()
    return dashboard === undefined ? response : linkTo(dashboard, response, scheme)
  }

  route({ info, scheme }: RequestContext): Decision {
    const { method, path, fields } = info
    const dashboard = this.#dashboard()
    const request: DashboardRequest = { method, path, scheme, header: name => valuesOf(fields, name) }
    const socket = dashboard?.answers(request) === true ? dashboard.socket() : undefined
    if (socket !== undefined) {
      const address = { host: '127.0.0.1', port: 0, socket }
      return { kind: 'forward', to: { key: dashboardKey, address, path, prefix: undefined, protocol: 'http' } }
    }
    if (method !== 'GET' && method !== 'HEAD') return respond(errorPages.methodNotAllowed())
    if (path !== '/' && !path.startsWith('/?')) return respond(errorPages.pageNotFound())
    const url = (host: string) => this.#web.url(host)
    return respond(indexResponse(this.#catalog.projects(), this.#catalog.services(), url, dashboard !== undefined))
  }
}

function linkTo(dashboard: Dashboard, response: LocalResponse, scheme: RequestContext['scheme']): LocalResponse {
  const { page, about } = response
  if (page === undefined || about === undefined) return response
  const text = about === null ? 'Open the dashboard' : `Open ${about} in the dashboard`
  const link = html`<p><a href="${dashboard.place(about ?? undefined, scheme)}">${text}</a></p>`
  return {
    ...response,
    page: () => {
      const content = page()
      return { ...content, body: html`${content.body}${link}` }
    },
  }
}

function respond(response: LocalResponse): Decision {
  return { kind: 'respond', response }
}
