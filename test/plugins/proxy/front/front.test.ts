/** A front: one service under another name, and nothing else of locald, whatever a client sends. */
import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import t, { type Test } from 'tap'
import { WebSocket, WebSocketServer } from 'ws'
import type { FrontSpec } from '../../../../plugins/proxy/provides.ts'
import { type BootOptions, boot } from '../lib/boot.ts'
import { get, textOf, wire } from '../lib/client.ts'
import { addressOf, at, listening, serve } from '../lib/services.ts'
import { eventually } from '../lib/wait.ts'

const shown = 'phone.example:4000'

/** A service `shop:web` of this test, which answers with what it received, and a front for it. */
async function open(t: Test, spec: Partial<FrontSpec> = {}, options: BootOptions = {}) {
  const proxy = await boot(t, { options: { record: 'off' }, ...options })
  const server = await listening(
    t,
    http.createServer((req, res) => res.end(`${req.url}\n${JSON.stringify(req.headers)}`)),
  )
  proxy.catalog.project('shop', [{ prefix: '/api', service: 'api', stripPrefix: true }])
  proxy.catalog.set('shop:web', { ...at(server.port), hosts: ['shop.localhost'] })
  proxy.catalog.set('shop:api', at((await serve(t, (_, res) => res.end('the other service'))).port))
  const front = proxy.host.use.fronts.open({
    key: 'shop:web',
    originOf: host => (host === shown ? { scheme: 'http', host } : undefined),
    isTunnel: false,
    ...spec,
  })
  const listener = front.createServer().listen(0, '127.0.0.1')
  await once(listener, 'listening')
  t.teardown(() => front.close())
  return { ...proxy, server, front, at: addressOf(listener).port }
}

t.test('a service gets requests as for its own name, with the client described', async t => {
  const { at: port, port: proxyPort } = await open(t)
  const own = `shop.localhost:${proxyPort}`
  const headers = {
    origin: `http://${shown}`,
    referer: `http://${shown}/from?x`,
    'x-forwarded-for': '6.6.6.6',
    'x-forwarded-host': 'evil.example',
    x_original_host: 'evil.example',
    'x-original-host': 'evil.example',
  }
  const { status, body } = await get(port, shown, '/a/../b?c', { headers })
  t.equal(status, 200)
  const [path, seen = ''] = body.split('\n')
  t.equal(path, '/a/../b?c')
  t.match(JSON.parse(seen), {
    host: own,
    origin: `http://${own}`,
    referer: `http://${own}/from?x`,
    'x-forwarded-host': own,
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-proto': 'http',
    'x-original-host': shown,
  })
  t.notMatch(seen, /evil|6\.6\.6\.6/)
  const other = await get(port, shown, '/', {
    headers: { origin: 'http://evil.example', referer: `http://${shown}.evil/` },
  })
  t.match(JSON.parse(other.body.split('\n')[1] ?? ''), {
    origin: 'http://evil.example',
    referer: `http://${shown}.evil/`,
  })
})

t.test('redirects and cookies for its own name are for the client', async t => {
  const { at: port, catalog } = await open(t)
  const answers: string[] = []
  const server = await serve(t, (_, res) => res.writeHead(302, answers).end())
  catalog.set('shop:web', at(server.port))
  for (const [name, value, wanted] of [
    ['location', 'https://shop.localhost/in?a=b', `http://${shown}/in?a=b`],
    ['location', 'http://Shop.localhost:8080', `http://${shown}/`],
    ['location', '//shop.localhost/x', `http://${shown}/x`],
    ['location', `http://localhost:${server.port}/x`, `http://${shown}/x`],
    ['location', '/x', '/x'],
    ['location', 'https://api.shop.localhost/x', 'https://api.shop.localhost/x'],
    ['location', 'https://shop.localhost.evil.example/', 'https://shop.localhost.evil.example/'],
    ['refresh', '0; url=https://shop.localhost/x', `0; url=http://${shown}/x`],
    ['set-cookie', 'a=b; Domain=.shop.localhost; Path=/', 'a=b; Path=/'],
    ['set-cookie', 'a=b; domain=shop.localhost', 'a=b'],
    ['set-cookie', 'a=b; Domain=example.com; Secure', 'a=b; Domain=example.com; Secure'],
  ] as const) {
    answers.splice(0, answers.length, name, value)
    t.equal((await get(port, shown)).header(name), wanted, value)
  }
})

t.test('nothing else is served', async t => {
  const { at: port, port: proxyPort, securePort } = await open(t)
  const hosts = ['localhost', '127.0.0.1', 'locald.localhost', 'shop.localhost', 'api.shop.localhost', 'evil.example']
  for (const name of [...hosts, `${shown}.`, 'phone.example']) {
    for (const host of [name, `${name}:${port}`, `${name}:${proxyPort}`, `${name}:${securePort}`]) {
      const { status, body } = await get(port, host)
      t.equal(status === 421 || status === 400, true, `${host}: ${status}`)
      t.notMatch(body, /shop:|the other service/)
    }
  }
  for (const head of [
    'GET http://locald.localhost/ HTTP/1.1\r\nHost: HOST',
    'GET http://api.shop.localhost/ HTTP/1.1\r\nHost: HOST',
    'GET /v1/services HTTP/1.1\r\nHost: HOST@locald.localhost',
    'GET / HTTP/1.1\r\nHost: HOST\r\nHost: locald.localhost',
    'GET locald.localhost/ HTTP/1.1\r\nHost: HOST',
    'CONNECT locald.localhost:80 HTTP/1.1\r\nHost: HOST',
    'GET / HTTP/1.1\r\nHost: api.shop.localhost\r\nX-Forwarded-Host: HOST',
    'GET / HTTP/1.1\r\nHost: locald.localhost\r\nX-Locald-Progress: ready',
    'GET / HTTP/1.1\r\nHost: locald.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x',
  ]) {
    const client = wire(t, port).send(`${head.replace('HOST', shown)}\r\nConnection: close\r\n\r\n`)
    await client.end()
    t.match(client.text, /^HTTP\/1\.1 4(00|05|21) /, head)
  }
  for (const path of ['/api', '/api/x', '/api?x']) {
    const { status, body } = await get(port, shown, path)
    t.equal(status, 404, path)
    t.notMatch(body, /other service|shop/)
  }
  for (const path of [
    '/v1/services',
    '//locald.localhost/',
    '/http://locald.localhost/',
    '/%2e%2e/api',
    '/apis',
    '/../api',
  ]) {
    const { status, body } = await get(port, shown, path)
    t.equal(status, 200, path)
    t.equal(body.split('\n')[0], path, 'the service itself gets it')
  }
})

t.test('nothing else is served over HTTP/2', async t => {
  const { at: port } = await open(t)
  const client = http2.connect(`http://127.0.0.1:${port}`)
  t.teardown(() => client.destroy())
  const ask = async (headers: http2.OutgoingHttpHeaders) => {
    const stream = client.request({ ':path': '/x', ...headers })
    const [answer]: http2.IncomingHttpHeaders[] = await once(stream, 'response')
    return { status: answer?.[':status'], body: await textOf(stream) }
  }
  const own = await ask({ ':authority': shown })
  t.equal(own.status, 200)
  t.match(JSON.parse(own.body.split('\n')[1] ?? ''), { host: /^shop\.localhost/, 'x-original-host': shown })
  t.match(await ask({ ':authority': shown, ':path': '/api' }), { status: 404 })
  for (const name of ['locald.localhost', 'api.shop.localhost', 'shop.localhost', `127.0.0.1:${port}`])
    t.match(await ask({ ':authority': name }), { status: 421 }, name)
  t.match(await ask({ ':authority': shown, host: 'locald.localhost' }), { status: 400 })
})

t.test('a WebSocket reaches the service, and no other name', async t => {
  const { at: port, port: proxyPort, server, front } = await open(t)
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', (socket, req) => socket.send(JSON.stringify(req.headers)))
  const headers = { host: shown, origin: `http://${shown}` }
  const socket = new WebSocket(`ws://127.0.0.1:${port}/hmr`, { headers })
  const [data] = await once(socket, 'message')
  t.match(JSON.parse(String(data)), {
    host: `shop.localhost:${proxyPort}`,
    origin: `http://shop.localhost:${proxyPort}`,
  })
  const refused = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { host: 'api.shop.localhost' } })
  const [, response] = await once(
    refused.on('error', () => {}),
    'unexpected-response',
  )
  t.equal(response.statusCode, 421)
  const closed = once(socket, 'close')
  await front.close()
  await closed
})

t.test('a page about the service says its state alone: no cause, output, folder or link to the dashboard', async t => {
  const { at: port, catalog, server } = await open(t, {}, { limits: { progress: 50, hold: 50, poll: 50 } })
  catalog.tails.set('shop:web', ['a secret line'])
  const reason = 'exited with code 1: Error: postgres://user:secret@db'
  for (const [state, status, what] of [
    [{ status: 'failed', reason }, 503, 'failed'],
    [{ status: 'exited', reason }, 503, 'failed'],
    [{ status: 'stopped', reason, path: '/home/secret' }, 503, 'stopped'],
    [{ status: 'starting', reason }, 503, 'starting'],
    [{ status: 'running', fault: { message: reason, hint: reason } }, 502, 'unreachable'],
    [{ status: 'running', upstream: null, port: null }, 502, 'refused'],
  ] as const) {
    const upstream = at(server.port).upstream ?? null
    catalog.faults.clear()
    if ('fault' in state) catalog.faults.set('shop:web', state.fault)
    catalog.set('shop:web', { upstream, fault: undefined, ...state })
    for (const accept of ['text/html', '*/*']) {
      const headers = { accept, ...(accept === '*/*' ? {} : { 'sec-fetch-mode': 'navigate' }) }
      const { status: code, body, header } = await get(port, shown, '/', { headers })
      t.match({ code, what: header('x-locald') }, { code: status, what }, accept)
      t.match(body, /The service (?:has failed|is not running|is starting|cannot be reached)/)
      t.notMatch(body, /secret|code 1|127\.0\.0\.1|dashboard|shop/)
    }
  }
  catalog.set('shop:web', { status: 'starting', reason, fault: undefined })
  const poll = await get(port, shown, '/', { headers: { 'x-locald-progress': 'ready' } })
  t.match(poll, { status: 202, body: '{}\n' })
  catalog.remove('shop:web')
  const removed = await get(port, shown, '/', { headers: { accept: 'text/html' } })
  t.equal(removed.status, 404)
  t.notMatch(removed.body, /shop/)
})

t.test('what a wait has made of another service is not found', async t => {
  const { at: port, catalog } = await open(t)
  catalog.set('shop:web', { status: 'starting' })
  const held = get(port, shown, '/', { headers: { accept: 'text/html' } })
  await eventually(() => catalog.waiting > 0, 'held')
  catalog.remove('shop:web')
  const { status, body } = await held
  t.equal(status, 404)
  t.notMatch(body, /shop|api/)
})

t.test('behind a tunnel, the client is the one that the tunnel names last', async t => {
  const { at: port } = await open(t, {
    isTunnel: true,
    originOf: host => (host === 'x.tunnel.example' ? { scheme: 'https', host } : undefined),
  })
  const headers = { 'x-forwarded-for': '6.6.6.6, 9.9.9.9' }
  const { body } = await get(port, 'x.tunnel.example', '/', { headers })
  t.match(JSON.parse(body.split('\n')[1] ?? ''), { 'x-forwarded-for': '9.9.9.9', 'x-forwarded-proto': 'https' })
  const forged = await get(port, 'x.tunnel.example', '/', { headers: { 'x-forwarded-for': 'evil" ;x' } })
  t.match(JSON.parse(forged.body.split('\n')[1] ?? ''), { 'x-forwarded-for': '127.0.0.1' })
})

t.test('a sleeping service is started by a request', async t => {
  let woken = ''
  const {
    at: port,
    catalog,
    server,
  } = await open(
    t,
    {},
    {
      wake: async key => {
        woken = key
        catalog.set('shop:web', { ...at(server.port), asleep: false })
      },
    },
  )
  catalog.set('shop:web', { status: 'stopped', asleep: true, upstream: null })
  t.equal((await get(port, shown)).status, 200)
  t.equal(woken, 'shop:web')
})
