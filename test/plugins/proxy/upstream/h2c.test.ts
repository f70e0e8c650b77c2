import { once } from 'node:events'
import http from 'node:http'
import http2, { type IncomingHttpHeaders } from 'node:http2'
import t from 'tap'
import { freePort } from '../../../lib/ports.ts'
import { ask, session } from '../http2/client.ts'
import { boot } from '../lib/boot.ts'
import { get } from '../lib/client.ts'
import { at, listening } from '../lib/services.ts'
import { deadline, eventually, latch } from '../lib/wait.ts'

/** Returns the number of open sockets, of both sides. */
function openSockets(): number {
  return process.getActiveResourcesInfo().filter(name => name === 'TCPSocketWrap').length
}

t.test('forwards to a service that speaks h2c', async t => {
  const run = await boot(t, { https: true })
  const seen: IncomingHttpHeaders[] = []
  const server = http2.createServer()
  const sessions = new Set<http2.ServerHttp2Session>()
  server.on('session', made => {
    sessions.add(made)
    made.once('close', () => sessions.delete(made))
  })
  server.on('stream', (stream, headers) => {
    seen.push(headers)
    stream.on('error', () => undefined)
    const grpc = { ':status': 200, 'content-type': 'application/grpc' }
    if (headers[':path'] === '/shop.Stock/Missing') {
      stream.respond({ ...grpc, 'grpc-status': 5, 'grpc-message': 'no such thing' }, { endStream: true })
    } else if (headers[':path'] === '/break') {
      stream.respond(grpc)
      stream.write('part')
      setTimeout(() => stream.destroy(new Error('broken')), 50)
    } else {
      stream.respond(grpc, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': 0 }))
      stream.pipe(stream)
    }
  })
  const { port } = await listening(t, server)
  run.catalog.set('shop:web', { ...at(port), protocol: 'h2c' })
  const secure = await session(t, run)
  const plain = await session(t, run, 'http')
  for (const client of [secure, plain]) {
    const call = { ':method': 'POST', ':path': '/shop.Stock/Watch', te: 'trailers', 'content-type': 'application/grpc' }
    const stream = client.request({ ':authority': 'shop.localhost', ...call })
    await once(stream, 'response')
    for (const word of ['one', 'two']) {
      stream.write(word)
      const [piece]: Buffer[] = await once(stream, 'data')
      t.equal(piece?.toString(), word, 'a call whose messages go both ways')
    }
    const trailers = once(stream, 'trailers')
    stream.end()
    t.match(await trailers, [{ 'grpc-status': '0' }])
    stream.resume()
    t.match(await ask(client, { ...call, ':path': '/shop.Stock/Missing' }, 'x'), {
      status: 200,
      headers: { 'grpc-status': '5', 'grpc-message': 'no such thing' },
    })
    await t.rejects(ask(client, { ...call, ':path': '/break' }, 'x'), { code: 'ERR_HTTP2_STREAM_ERROR' })
  }
  t.match(seen[0], { te: 'trailers', 'x-forwarded-proto': 'https', ':authority': 'shop.localhost' })
  t.equal(sessions.size, 1, 'over one connection')
  const big = 'x'.repeat(3_000_000)
  const old = await get(run.port, 'shop.localhost', '/old', { method: 'POST', body: big })
  t.equal(old.body.length, big.length, 'HTTP/1.1 clients reach it, too')
  t.match(old.res.trailers, { 'grpc-status': '0' })
  t.equal((await get(run.port, 'shop.localhost', '/shop.Stock/Missing')).header('grpc-status'), '5')
  for (const made of sessions) made.destroy()
  await eventually(() => sessions.size === 0, 'its connections are closed')
  t.match(await ask(secure, { ':method': 'POST' }, 'again'), { body: 'again' }, 'and opened again')
  run.catalog.set('shop:web', { ...at(await freePort()), protocol: 'h2c' })
  t.match(await ask(secure, { ':method': 'POST' }, 'x'), { status: 502, body: /nothing listens/ })
  t.match(await get(run.port, 'shop.localhost'), { status: 502, body: /nothing listens/ })
})

t.test('services that speak h2c and close their connection', { timeout: 30_000 }, async t => {
  await t.test(
    'uses a new connection after the old one was idle too long, but keeps one with an open stream',
    async t => {
      const run = await boot(t, { https: true, limits: { upstreamIdle: 200 } })
      const server = http2.createServer()
      const sessions: http2.ServerHttp2Session[] = []
      server.on('session', made => {
        sessions.push(made)
        // Servers other than Node's do not send GOAWAY in turn.
        made.close = () => undefined
      })
      server.on('stream', stream => {
        stream.on('error', () => undefined)
        stream.respond({ ':status': 200 })
        stream.pipe(stream)
      })
      const { port } = await listening(t, server)
      run.catalog.set('shop:web', { ...at(port), protocol: 'h2c' })
      const open = http.request({ port: run.port, headers: { host: 'shop.localhost' }, method: 'POST' })
      open.on('error', () => undefined)
      t.teardown(() => open.destroy())
      open.flushHeaders()
      // Its head does not wait for a body.
      const [response]: http.IncomingMessage[] = await once(open, 'response', { signal: AbortSignal.timeout(deadline) })
      await new Promise(resolve => setTimeout(resolve, 500))
      t.match(await ask(await session(t, run), { ':method': 'POST' }, 'x'), { status: 200, body: 'x' })
      t.equal(sessions.length, 1, 'kept for its open stream')
      const goaway = once(sessions[0] ?? server, 'goaway', { signal: AbortSignal.timeout(deadline) })
      open.end()
      response?.resume()
      await goaway
      t.match(await ask(await session(t, run), { ':method': 'POST' }, 'x'), { status: 200, body: 'x' })
      t.equal(sessions.length, 2, 'a new one')
    },
  )

  await t.test('reports one that refuses every stream', async t => {
    const run = await boot(t, { https: true, limits: { grace: 50 } })
    const server = http2.createServer()
    let streams = 0
    server.on('stream', stream => {
      streams++
      stream.on('error', () => undefined)
      stream.close(http2.constants.NGHTTP2_REFUSED_STREAM)
    })
    const { port } = await listening(t, server)
    run.catalog.set('shop:web', { ...at(port), protocol: 'h2c' })
    t.match(await ask(await session(t, run)), { status: 502 })
    t.equal(streams, 2, 'sent twice')
  })
})

t.test('forwards responses of a service that resets its streams with NO_ERROR', { timeout: 30_000 }, async t => {
  const run = await boot(t, { limits: { grace: 50 } })
  const server = http2.createServer()
  const reset = latch()
  // It never reads the request.
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined)
    const end = (): void => {
      stream.close(http2.constants.NGHTTP2_NO_ERROR)
      reset.open()
    }
    if (headers[':path'] === '/none') return void setTimeout(end, 50)
    stream.respond({ ':status': 200 })
    stream.write(Buffer.alloc(200_000), end)
  })
  const first = once(server, 'session')
  const { port } = await listening(t, server)
  run.catalog.set('shop:web', { ...at(port), protocol: 'h2c' })
  const client = await session(t, run, 'http')
  const before = openSockets()
  const upload = { method: 'POST', body: 'x'.repeat(300_000) }
  t.match(await get(run.port, 'shop.localhost', '/none', upload), { status: 502 }, 'before an answer')
  const slow = client.request({ ':method': 'POST', ':authority': 'shop.localhost', ':path': '/' })
  slow.on('error', () => undefined)
  await once(slow, 'response', { signal: AbortSignal.timeout(deadline) })
  await reset.promise
  slow.close(http2.constants.NGHTTP2_CANCEL)
  await once(slow, 'close')
  const [made]: http2.ServerHttp2Session[] = await first
  made?.destroy()
  await eventually(() => openSockets() <= before, 'its connection is closed')
  t.pass('and its connection is closed')
})
