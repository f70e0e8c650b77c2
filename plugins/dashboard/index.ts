import { join } from 'node:path'
import type { Host, Plugin } from '../../kernel/contract/plugin.ts'
import { LocaldError } from '../../kernel/errors.ts'
import { Access } from './access.ts'
import { originOf } from './address.ts'
import { Assets } from './assets.ts'
import { hasSession } from './cookies.ts'
import { Door, isForeignNavigation } from './door.ts'
import { OpenRequests } from './open-requests.ts'
import { placeOf, signInUrl } from './places.ts'
import type { DashboardRequest } from './provides.ts'
import { type AddressQuery, addressSchema, type TokenBody, tokenSchema } from './schemas.ts'
import { DashboardServer } from './server.ts'
import { Sessions } from './sessions.ts'
import { SignInFiles } from './sign-in-files.ts'

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
      place: (key, scheme) => `${originOf(host, scheme)}${key === undefined ? '/' : placeOf(key)}`,
    }))
    host.hooks.booted.tapPromise('dashboard', async () => {
      open = await openDashboard(host)
      open.server.socket()
    })
    host.routes('/dashboard', async app => {
      app.get<{ Querystring: AddressQuery }>('', { schema: addressSchema }, async ({ query }) => ({
        url: originOf(host, query.scheme),
      }))
      app.post<{ Body: TokenBody | null }>('/token', { schema: tokenSchema }, async ({ raw, body }) => {
        if (open === undefined || open.server.isFromBrowser(raw)) throw notOverTcp()
        return makeLink(open, originOf(host, body?.scheme), body ?? {})
      })
    })
    host.onClose(() => {
      open?.files.close()
      open?.server.close()
    })
  },
}

export default plugin

interface Opened {
  readonly sessions: Sessions
  readonly files: SignInFiles
  readonly server: DashboardServer
}

async function openDashboard(host: Host): Promise<Opened> {
  const sessions = await Sessions.open(join(host.folders.data, 'dashboard', 'sessions.json'), host.log)
  const files = new SignInFiles(() => host.folders.runtime, host.log)
  const access = new Access(() => host.optional('web'), sessions)
  const requests = new OpenRequests(access)
  const server = new DashboardServer({
    access,
    requests,
    api: () => host.optional('api'),
    door: new Door({ access, sessions, files, requests, assets: new Assets(host.log) }),
    folder: () => host.folders.runtime,
    log: host.log,
  })
  return { sessions, files, server }
}

/** Makes a URL that signs in, and where that is asked for, a file that leads to it. */
function makeLink({ sessions, files }: Opened, origin: string, body: TokenBody): { url: string; file?: string } {
  const token = sessions.createToken()
  const url = signInUrl(origin, token, body.place)
  const file = body.file === true ? files.write(token, url) : undefined
  return { url, ...(file === undefined ? {} : { file }) }
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

function notOverTcp(): LocaldError {
  return new LocaldError('ORIGIN_FORBIDDEN', 'a browser cannot make a sign-in URL', { hint: 'Run `locald dashboard`.' })
}
