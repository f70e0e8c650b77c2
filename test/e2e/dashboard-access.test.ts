import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { resolvePaths } from '../../kernel/system/paths.ts'
import { ask } from '../lib/raw-http.ts'
import { Sandbox } from '../lib/sandbox.ts'
import { type Answered, openTransports, type Transport } from '../plugins/dashboard/lib/transports.ts'

const own = 'locald.localhost'
const cookieNames = { http: 'locald', https: '__Host-locald' }
const dayMs = 86_400_000

/** A route of the API, with values for the parameters of its path. */
interface Route {
  readonly method: string
  readonly path: string
}

/** A request that must be refused: how it differs from that of a signed-in page, and the answer. */
interface Attack {
  readonly name: string
  readonly change: (
    proper: Readonly<Record<string, string>>,
    transport: Transport,
  ) => Record<string, string | undefined>
  readonly status: number
  readonly code: string
  /** The methods it is about; all where absent. */
  readonly methods?: (method: string) => boolean
}

const isChange = (method: string): boolean => method !== 'GET' && method !== 'HEAD'
const forbidden = { status: 403, code: 'ORIGIN_FORBIDDEN' } as const
const stranger = { status: 401, code: 'SIGN_IN_REQUIRED' } as const
const otherScheme = { http: 'https', https: 'http' } as const
const expired = 'an-expired-session'

const attacks: readonly Attack[] = [
  { name: 'no cookie', change: () => ({ cookie: undefined }), ...stranger },
  {
    name: 'a made-up session',
    change: (_, { scheme }) => ({ cookie: `${cookieNames[scheme]}=${'a'.repeat(43)}` }),
    ...stranger,
  },
  {
    name: 'an expired session',
    change: (_, { scheme }) => ({ cookie: `${cookieNames[scheme]}=${expired}` }),
    ...stranger,
  },
  {
    name: 'the cookie of the other scheme',
    change: ({ cookie = '' }, { scheme }) => ({ cookie: cookie.replace(/^[^=]+/, cookieNames[otherScheme[scheme]]) }),
    ...stranger,
  },
  { name: 'a foreign Origin', change: () => ({ origin: 'https://evil.example' }), ...forbidden },
  {
    name: 'the Origin of a project',
    change: (_, { scheme, port }) => ({ origin: `${scheme}://shop.localhost:${port}` }),
    ...forbidden,
  },
  { name: 'an opaque Origin', change: () => ({ origin: 'null' }), ...forbidden },
  {
    name: 'an Origin of the other scheme',
    change: (_, { scheme, port }) => ({ origin: `${otherScheme[scheme]}://${own}:${port}` }),
    ...forbidden,
  },
  {
    name: 'an Origin on another port',
    change: (_, { scheme }) => ({ origin: `${scheme}://${own}:3000` }),
    ...forbidden,
  },
  {
    name: "another of locald's own names as the Origin",
    change: (_, { scheme, port }) => ({ origin: `${scheme}://localhost:${port}` }),
    ...forbidden,
  },
  { name: 'no Origin', change: () => ({ origin: undefined }), ...forbidden, methods: isChange },
  { name: 'another site', change: () => ({ origin: undefined, 'sec-fetch-site': 'cross-site' }), ...forbidden },
  {
    name: 'another port of the same site',
    change: () => ({ origin: undefined, 'sec-fetch-site': 'same-site' }),
    ...forbidden,
  },
  // The proxy has no service of that name.
  {
    name: 'a rebinding Host',
    change: (_, { port }) => ({ host: `evil.example:${port}` }),
    status: 404,
    code: 'UNKNOWN_SERVICE',
  },
  { name: 'a Host with another port', change: () => ({ host: `${own}:1` }), ...forbidden, status: 421 },
  { name: 'a Host without its port', change: () => ({ host: 'localhost' }), ...forbidden, status: 421 },
  {
    name: 'a Host with a trailing dot',
    change: (_, { port }) => ({ host: `${own}.:${port}` }),
    ...forbidden,
    status: 421,
  },
]

/** The routes of WebSockets. */
const sockets = ['/v1/services/terminal', '/v1/runs/terminal']

t.test('the dashboard answers no one but a signed-in page of its own', async t => {
  const sandbox = new Sandbox(t)
  const { data, socket } = resolvePaths({ env: sandbox.env })
  const sessionsFile = join(data, 'dashboard', 'sessions.json')
  const stored = { hash: createHash('sha256').update(expired).digest('hex'), createdAt: Date.now() - 31 * dayMs }
  sandbox.write(sessionsFile, JSON.stringify({ sessions: [stored] }), 0o600)
  sandbox.own(dirname(sessionsFile))
  const folder = sandbox.project('shop', {
    'locald.toml': `[project]\nname = "shop"\n[services.web]\ncommand = "exec ${process.execPath} server.mjs"\n`,
    'server.mjs': `import { createServer } from 'node:http'
      createServer((request, response) => response.end(JSON.stringify(request.headers)))
        .listen(Number(process.env.PORT), '127.0.0.1')`,
  })
  await sandbox.up(folder)
  const server = await sandbox.server()
  const transports = openTransports(t, { http: await sandbox.http(), https: await sandbox.https() })
  const routes = routesOf(JSON.parse((await ask({ path: socket }, '/v1/openapi.json')).body))
  t.ok(routes.length > 40, `there are ${routes.length} routes`)
  const makeToken = async () => {
    const answer = await ask({ path: socket }, '/v1/dashboard/token', { method: 'POST', body: '{}' })
    const { url }: { url: string } = JSON.parse(answer.body)
    return new URL(url)
  }
  const signIn = async (transport: Transport): Promise<Readonly<Record<string, string>>> => {
    const { pathname, search } = await makeToken()
    const host = `${own}:${transport.port}`
    const answer = await transport.ask({ method: 'GET', path: pathname + search, headers: { host } })
    const cookie = /^[^;]+/.exec(answer.headers['set-cookie']?.[0] ?? '')?.[0] ?? ''
    return { host, cookie, origin: `${transport.scheme}://${host}`, 'sec-fetch-site': 'same-origin' }
  }

  for (const transport of transports) {
    await t.test(transport.name, async t => {
      const proper = await signIn(transport)
      for (const attack of attacks) {
        await t.test(`refuses ${attack.name}`, async t => {
          const headers = without({ ...proper, ...attack.change(proper, transport) })
          const mistakes: string[] = []
          for (const { method, path } of routes) {
            if (attack.methods?.(method) === false) continue
            const answer = await transport.ask({ method, path, headers })
            const isRefused =
              answer.status === attack.status && (method === 'HEAD' || answer.body.includes(attack.code))
            if (!isRefused) mistakes.push(`${method} ${path}: ${answer.status} ${answer.body.slice(0, 200)}`)
            mistakes.push(...findMistakes(answer).map(mistake => `${method} ${path}: ${mistake}`))
          }
          t.strictSame(mistakes, [])
          if (attack.methods !== undefined) return
          for (const path of sockets) {
            const { status } = await transport.upgrade({ method: 'GET', path, headers })
            t.equal(status, attack.status, `WebSocket ${path}`)
          }
        })
      }
      await t.test('refuses a WebSocket without an Origin', async t => {
        const headers = without({ ...proper, origin: undefined })
        for (const path of sockets)
          t.equal((await transport.upgrade({ method: 'GET', path, headers })).status, 403, path)
      })
      await t.test('lets its own page read every route', async t => {
        const { origin: _, ...headers } = proper
        // What only follows sends nothing, not even a head, before something happens.
        const answering = routes.filter(({ method, path }) => method === 'GET' && !path.endsWith('/follow'))
        for (const { method, path } of answering) {
          const answer = await transport.ask({ method, path, headers })
          t.notOk([401, 403, 421].includes(answer.status), `${method} ${path}: ${answer.status}`)
          if (['/v1/server', '/v1/ping', '/v1/events'].includes(path)) t.equal(answer.status, 200, path)
          t.strictSame(findMistakes(answer), [], path)
        }
        const events = await transport.ask({ method: 'GET', path: '/v1/stream?topic=events', headers })
        t.match(events, { status: 200, body: /"snapshot"/ })
      })
      await t.test('does what its own page asks for, but makes no token for it', async t => {
        const headers = { ...proper, 'content-length': '0' }
        for (const path of ['/v1/dashboard/token', '/v1/%64ashboard/token']) {
          const denied = await transport.ask({ method: 'POST', path, headers })
          t.match(denied, { status: 403, body: /a browser cannot make a sign-in URL/ }, path)
        }
        const cleaned = await transport.ask({ method: 'POST', path: '/v1/registry/clean', headers })
        t.match(cleaned, { status: 200, body: /"kept"/ })
      })
      await t.test('uses a token once', async t => {
        const { pathname, search } = await makeToken()
        const headers = { host: `${own}:${transport.port}` }
        const path = pathname + search
        const looked = await transport.ask({ method: 'HEAD', path, headers })
        t.match([looked.status, looked.headers['set-cookie']], [503, undefined], 'looking at the link uses nothing up')
        const guessed = await transport.ask({ method: 'GET', path, headers: { ...headers, 'sec-purpose': 'prefetch' } })
        t.match([guessed.status, guessed.headers['set-cookie']], [503, undefined])
        const first = await transport.ask({ method: 'GET', path, headers })
        const [cookie = ''] = first.headers['set-cookie'] ?? []
        t.equal(first.status, 200)
        t.match(
          cookie,
          new RegExp(
            `^${cookieNames[transport.scheme]}=[\\w-]{43}; Path=/; Max-Age=2592000; HttpOnly; SameSite=Strict`,
          ),
        )
        t.equal(cookie.endsWith('; Secure'), transport.scheme === 'https')
        t.notMatch(first.body, search.slice('?token='.length), 'no later URL has the token')
        const second = await transport.ask({ method: 'GET', path, headers })
        t.match([second.status, second.headers['set-cookie']], [401, undefined], 'a stolen link is of no use')
      })
      await t.test('signs out', async t => {
        const page = await signIn(transport)
        const request = { method: 'POST', path: '/sign-out', headers: page }
        t.equal((await transport.ask({ ...request, headers: without({ ...page, origin: undefined }) })).status, 403)
        t.match(await transport.ask(request), { status: 204, headers: { 'set-cookie': [/Max-Age=0/] } })
        t.equal((await transport.ask({ method: 'GET', path: '/v1/ping', headers: page })).status, 401)
      })
      await t.test('lists services without a session, and serves the app with one', async t => {
        const html = { host: proper['host'] ?? '', accept: 'text/html' }
        const plain = await transport.ask({ method: 'GET', path: '/', headers: html })
        t.match(plain, { status: 200, headers: { 'x-locald': 'index' }, body: /locald dashboard.*shop:web/s })
        const place = await transport.ask({ method: 'GET', path: '/service/shop:web', headers: html })
        t.match(place, { status: 401, body: /not signed in.*locald dashboard/s })
        const foreign = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
        const fromLink = await transport.ask({ method: 'GET', path: '/', headers: { ...html, ...foreign } })
        t.match(
          fromLink,
          { status: 200, body: /http-equiv="refresh" content="0"/ },
          'the browser may hold back its cookie',
        )
        const signedIn = { ...html, cookie: proper['cookie'] ?? '' }
        const app = await transport.ask({ method: 'GET', path: '/', headers: signedIn })
        t.match(app, { status: 200, headers: { 'content-type': 'text/html; charset=utf-8' }, body: /id="app"/ })
        const script = /src="(\/assets\/[^"]+)"/.exec(app.body)?.[1] ?? ''
        const asset = await transport.ask({ method: 'GET', path: script, headers: { host: html.host } })
        t.match(asset, { status: 200, headers: { 'cache-control': /immutable/, 'content-type': /javascript/ } })
        const stolen = { host: html.host, 'sec-fetch-site': 'cross-site' }
        t.equal((await transport.ask({ method: 'GET', path: script, headers: stolen })).status, 403)
      })
      await t.test('keeps its session from services', async t => {
        const cookie = `a=1; ${proper['cookie']}; b=2`
        for (const more of [{}, { te: 'trailers' }]) {
          const headers = { host: `shop.localhost:${transport.port}`, cookie, ...more }
          const { body } = await transport.ask({ method: 'GET', path: '/', headers })
          t.equal(JSON.parse(body).cookie, 'a=1; b=2')
        }
      })
    })
  }

  await t.test('a session survives the daemon, of which the disk has only a hash', async t => {
    const [transport] = transports
    if (transport === undefined) return
    const proper = await signIn(transport)
    const secret = proper['cookie']?.split('=')[1] ?? ''
    t.ok(secret.length > 40)
    t.notMatch(readFileSync(sessionsFile, 'utf8'), secret)
    t.equal(statSync(sessionsFile).mode & 0o777, 0o600)
    t.equal(statSync(join(dirname(socket), 'dashboard.sock')).mode & 0o777, 0o600)
    await sandbox.ok(['server', 'restart'])
    t.not((await sandbox.server()).pid, server.pid)
    const port = await sandbox.http()
    const headers = { host: `${own}:${port}`, cookie: proper['cookie'] ?? '' }
    const [next] = openTransports(t, { http: port, https: await sandbox.https() })
    t.equal((await next?.ask({ method: 'GET', path: '/v1/ping', headers }))?.status, 200)
  })
})

/** Lists all routes with each method of the document, and HEAD. */
function routesOf({ paths }: { readonly paths: Readonly<Record<string, object>> }): readonly Route[] {
  return Object.entries(paths).flatMap(([path, methods]) => {
    const filled = path.replace(/\{\w+\}/g, 'x')
    const names = Object.keys(methods).map(method => method.toUpperCase())
    return [...names, ...(names.includes('GET') ? ['HEAD'] : [])].map(method => ({ method, path: filled }))
  })
}

function without(headers: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const kept = Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]))
  return Object.fromEntries(kept)
}

const commonHeaders = {
  'content-security-policy': /^default-src 'none'; script-src 'self'; style-src 'self'; (?!.*unsafe)/,
  'x-content-type-options': /^nosniff$/,
  'referrer-policy': /^no-referrer$/,
  'cross-origin-opener-policy': /^same-origin$/,
  'cross-origin-resource-policy': /^same-origin$/,
}

/** Returns which headers would allow another origin to read an answer, or a script of someone else in it. */
function findMistakes({ headers }: Answered): readonly string[] {
  const cors = Object.keys(headers).filter(name => name.startsWith('access-control-'))
  // The proxy's own pages have no script but one.
  if (headers['x-locald'] !== undefined) return cors
  const missing = Object.entries(commonHeaders).filter(([name, value]) => !value.test(String(headers[name])))
  return [...cors, ...missing.map(([name]) => `${name}: ${headers[name]}`)]
}
