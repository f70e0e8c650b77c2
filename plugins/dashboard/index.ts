import { join } from 'node:path'
import type { Host, Plugin } from '../../kernel/contract/plugin.ts'
import { LocaldError } from '../../kernel/errors.ts'
import { Access } from './access.ts'
import { Assets } from './assets.ts'
import { hasSession } from './cookies.ts'
import { Door, isForeignNavigation } from './door.ts'
import { placeOf, signInUrl } from './places.ts'
import type { DashboardRequest } from './provides.ts'
import { addressSchema, type TokenBody, tokenSchema } from './schemas.ts'
import { DashboardServer } from './server.ts'
import { Sessions } from './sessions.ts'

/** The name of the dashboard in URLs: cookies of `localhost` would go to every service there, whatever its port. */
const ownName = 'locald.localhost'

/** The dashboard in the browser, and the API for it. The proxy serves both under locald's own names. */
const plugin: Plugin = {
  name: 'dashboard',
  api: 1,
  after: ['proxy'],
  setup(host) {
    let open: Opened | undefined
    host.provide('dashboard', () => ({
      socket: () => open?.server.socket(),
      answers: request => open !== undefined && answers(request, open.sessions),
      place: key => `${originOf(host)}${key === undefined ? '/' : placeOf(key)}`,
    }))
    host.hooks.booted.tapPromise('dashboard', async () => {
      open = await openDashboard(host)
      open.server.socket()
    })
    host.routes('/dashboard', async app => {
      app.get('', { schema: addressSchema }, async () => ({ url: originOf(host) }))
      app.post<{ Body: TokenBody | null }>('/token', { schema: tokenSchema }, async ({ raw, body }) => {
        if (open === undefined || open.server.isFromBrowser(raw)) throw notOverTcp()
        return { url: signInUrl(originOf(host), open.sessions.createToken(), body?.place) }
      })
    })
    host.onClose(() => open?.server.close())
  },
}

export default plugin

interface Opened {
  readonly sessions: Sessions
  readonly server: DashboardServer
}

async function openDashboard(host: Host): Promise<Opened> {
  const sessions = await Sessions.open(join(host.folders.data, 'dashboard', 'sessions.json'), host.log)
  const access = new Access(() => host.optional('web'), sessions)
  const server = new DashboardServer({
    access,
    api: () => host.optional('api'),
    door: new Door({ access, sessions, assets: new Assets(host.log) }),
    folder: () => host.folders.runtime,
    log: host.log,
  })
  return { sessions, server }
}

/**
 * Leaves `/` to the proxy for a client without a session, but where a browser has held back the cookie: the dashboard
 * answers with a page that makes it send the cookie.
 */
function answers({ path, scheme, header }: DashboardRequest, sessions: Sessions): boolean {
  if (path !== '/' && !path.startsWith('/?')) return true
  const [site, mode, dest] = ['sec-fetch-site', 'sec-fetch-mode', 'sec-fetch-dest'].map(name => header(name)[0])
  const headers = { 'sec-fetch-site': site, 'sec-fetch-mode': mode, 'sec-fetch-dest': dest }
  return isForeignNavigation({ headers }) || hasSession(scheme, header('cookie').join('; '), sessions)
}

function isServed(host: Host): boolean {
  const web = host.optional('web')
  return web !== undefined && (web.http !== null || web.https !== null)
}

/** Returns the origin of the dashboard. Throws FEATURE_OFF where no proxy serves it. */
function originOf(host: Host): string {
  if (isServed(host)) return host.use.web.url(ownName)
  throw new LocaldError('FEATURE_OFF', 'the dashboard is not served: the proxy does not listen', {
    hint: 'Run `locald doctor` for the cause.',
  })
}

function notOverTcp(): LocaldError {
  return new LocaldError('ORIGIN_FORBIDDEN', 'a browser cannot make a sign-in URL', { hint: 'Run `locald dashboard`.' })
}
