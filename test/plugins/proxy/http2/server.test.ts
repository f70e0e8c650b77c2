import { once } from 'node:events'
import type http from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import type net from 'node:net'
import { connect as tlsConnect } from 'node:tls'
import t from 'tap'
import { WebSocketServer } from 'ws'
import { freePort } from '../../../lib/ports.ts'
import { boot } from '../lib/boot.ts'
import { textOf } from '../lib/client.ts'
import { at, raw, serve } from '../lib/services.ts'
import { eventually, latch } from '../lib/wait.ts'
import { ask, session } from './client.ts'

t.test('HTTP/2 responses of the proxy', async t => {
  const run = await boot(t, { https: true })
  const { catalog, securePort } = run
  catalog.project('shop')
  const client = await session(t, run)

  await t.test('responds itself for unknown hosts and invalid requests', async t => {
    const service = await serve(t, (_req, res) => res.end('up'))
    catalog.set('shop:web', at(service.port))
    const unknown = await ask(client, { ':authority': 'shpo.localhost', accept: 'text/html' })
    t.match(unknown, { status: 404 })
    t.match(unknown.body, `href="https://shop.localhost:${securePort}/"`)
    t.equal(unknown.headers['x-locald'], 'unknown-host')
    t.match(await ask(client, { ':authority': 'localhost' }), { status: 200, body: /"services"/ })
    t.match(await ask(client, { ':authority': 'localhost', ':method': 'HEAD' }), { status: 200, body: '' })
    t.match(await ask(client, { ':authority': 'a..b' }), { status: 400 })
    t.match(await ask(client, { host: 'other.localhost' }), { status: 400 })
    t.match(await ask(client, { ':method': 'CONNECT', ':path': undefined, ':scheme': undefined }), { status: 405 })
    catalog.set('shop:web', at(await freePort()))
    t.match(await ask(client), { status: 502, body: /nothing listens/ })
  })

  await t.test('holds requests while the service starts', async t => {
    const seen: string[] = []
    const service = await serve(t, async (req, res) => {
      seen.push(await textOf(req))
      res.end('done')
    })
    catalog.set('shop:web', { status: 'restarting', upstream: null })
    const body = 'x'.repeat(400_000)
    const answers = Array.from({ length: 20 }, (_, i) => ask(client, { ':method': 'POST' }, `${i}${body}`))
    const gets = Array.from({ length: 20 }, () => ask(client))
    await eventually(() => catalog.waiting === 40, 'all are held')
    catalog.set('shop:web', at(service.port))
    for (const answer of await Promise.all([...answers, ...gets])) t.equal(answer.body, 'done')
    t.equal(seen.filter(text => text.endsWith(body)).length, 20, 'each once')
    catalog.set('shop:web', { status: 'starting' })
    const leaving = client.request({ ':authority': 'shop.localhost', ':path': '/' })
    leaving.on('error', () => undefined)
    await eventually(() => catalog.waiting === 1, 'it is held')
    leaving.close(http2.constants.NGHTTP2_CANCEL)
    await eventually(() => catalog.waiting === 0, 'one that leaves is forgotten')
    const failing = ask(client)
    await eventually(() => catalog.waiting === 1, 'it is held')
    catalog.set('shop:web', { status: 'failed', reason: 'it crashed' })
    t.match(await failing, { status: 503, body: /it crashed/ })
  })
})

t.test('serves HTTP/1.1 over TLS, and HTTP/2 in the clear', async t => {
  const run = await boot(t, { https: true })
  const { catalog, securePort, ca } = run
  const service = await serve(t, async (req, res) =>
    res.end(`${req.headers['x-forwarded-proto']} ${req.headers['x-forwarded-port']} [${await textOf(req)}]`),
  )
  catalog.set('shop:web', at(service.port))
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  const secure = async (method: string, body = ''): Promise<string> => {
    const req = https.request({
      ...{ host: '127.0.0.1', port: securePort, servername: 'shop.localhost', ca, agent, method },
      headers: { host: 'shop.localhost' },
    })
    req.end(body)
    const [res]: http.IncomingMessage[] = await once(req, 'response')
    return res === undefined ? '' : textOf(res)
  }
  for (const method of ['GET', 'GET', 'POST', 'GET']) {
    const body = method === 'POST' ? 'x'.repeat(100_000) : ''
    t.equal(await secure(method, body), `https ${securePort} [${body}]`)
  }
  const plain = await session(t, run, 'http')
  t.match(await ask(plain), { body: `http ${run.port} []` })
  const sockets = new WebSocketServer({ server: service })
  sockets.on('connection', socket => socket.on('message', data => socket.send(data)))
  const { WebSocket } = await import('ws')
  const tls = { ca, servername: 'shop.localhost' }
  const socket = new WebSocket(`wss://127.0.0.1:${securePort}/`, [], { ...tls, headers: { host: 'shop.localhost' } })
  await once(socket, 'open')
  socket.send('hello')
  const [message] = await once(socket, 'message')
  t.equal(String(message), 'hello')
  socket.terminate()
  sockets.close()
})

t.test('cuts off a body delimited by the close of the connection, over TLS', async t => {
  const { catalog, securePort, ca } = await boot(t, { https: true })
  const service = await raw(t, socket => {
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\n\r\npart'))
    socket.once('end', () => socket.end())
  })
  const services: net.Socket[] = []
  service.on('connection', socket => services.push(socket))
  catalog.set('shop:web', at(service.port))
  for (const version of ['1.1', '1.0']) {
    const client = tlsConnect({ host: '127.0.0.1', port: securePort, ca, servername: 'shop.localhost' })
    t.teardown(() => client.destroy())
    client.write(`POST / HTTP/${version}\r\nHost: shop.localhost\r\nContent-Length: 0\r\n\r\n`)
    client.once('data', () => services.at(-1)?.resetAndDestroy())
    const text = await textOf(client)
    t.match(text, /^HTTP\/1.1 200 OK\r\n/)
    t.notMatch(text, '\r\n0\r\n', 'it is not complete')
  }
})

t.test('finishes requests in flight on close', async t => {
  const run = await boot(t, { https: true, limits: { closing: 300 } })
  const finish = latch()
  const arrived = latch()
  const service = await serve(t, async (req, res) => {
    if (req.url === '/forever') return void res.write('x')
    arrived.open()
    await finish.promise
    res.end('finished')
  })
  run.catalog.set('shop:web', at(service.port))
  const client = await session(t, run)
  const forever = client.request({ ':authority': 'shop.localhost', ':path': '/forever' })
  forever.on('error', () => undefined)
  await once(forever, 'data')
  const soon = ask(client, { ':path': '/soon' })
  await arrived.promise
  const closed = once(forever, 'close')
  const closing = run.close()
  finish.open()
  t.equal((await soon).body, 'finished', 'what is in flight may finish')
  await closing
  await closed
  t.ok(forever.rstCode !== 0 || client.destroyed, 'the rest is cut')
})
