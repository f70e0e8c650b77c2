import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import http from 'node:http'
import { join } from 'node:path'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import t from 'tap'
import { type WebSocket as Client, WebSocket, WebSocketServer } from 'ws'
import { get } from '../lib/client.ts'
import { at, listening, serve } from '../lib/services.ts'
import { latch } from '../lib/wait.ts'
import { inspected } from './harness.ts'

t.test('records metadata of the fast path, without bodies', async t => {
  const proxy = await inspected(t)
  const { port } = await serve(t, (_, res) => res.writeHead(201, { 'x-made': 'yes' }).end('hello'))
  proxy.catalog.project('shop')
  proxy.catalog.set('shop:web', at(port))
  await get(proxy.port, 'shop.localhost', '/a?b=c', { headers: { 'x-mine': 'é' } })
  const row = await proxy.row(({ path }) => path === '/a?b=c')
  t.match(row, {
    ...{ method: 'GET', host: 'shop.localhost', status: 201, service: 'shop:web', responseBytes: 5, scheme: 'http' },
    ...{ kind: 'http', answeredBy: 'service', error: null, httpVersion: '1.1' },
  })
  t.ok(row.durationMs !== null && row.durationMs >= (row.firstByteMs ?? 0))
  t.ok(Math.abs(Date.parse(row.time) - Date.now()) < 60_000, row.time)
  const detail = await proxy.detail(row.id)
  t.match(detail.requestHeaders, [
    { name: 'host', value: 'shop.localhost' },
    { name: 'x-mine', value: 'é' },
    { name: 'Connection', value: 'close' },
  ])
  t.ok(detail.responseHeaders.some(({ name, value }) => name === 'x-made' && value === 'yes'))
  t.match(detail.responseBody, { bytes: 5, text: null, note: 'Not kept: no one looked at requests when it passed.' })
})

t.test('keeps and decodes bodies while someone looks', async t => {
  const proxy = await inspected(t)
  const codings: Record<string, (text: string) => Buffer> = {
    gzip: gzipSync,
    deflate: deflateSync,
    br: brotliCompressSync,
    identity: text => Buffer.from(text),
  }
  const { port } = await serve(t, (req, res) => {
    const coding = req.url?.slice(1) ?? ''
    res.writeHead(200, { 'content-type': 'application/json', 'content-encoding': coding })
    res.end(codings[coding]?.('{"ok":"ja"}'))
  })
  proxy.catalog.project('shop')
  proxy.catalog.set('shop:web', at(port))
  const look = proxy.look()
  for (const coding of Object.keys(codings)) {
    await get(proxy.port, 'shop.localhost', `/${coding}`, { method: 'POST', body: `sent ${coding}` })
    const row = await proxy.row(({ path, durationMs }) => path === `/${coding}` && durationMs !== null)
    const { requestBody, responseBody } = await proxy.detail(row.id)
    t.match(requestBody, { text: `sent ${coding}`, bytes: 5 + coding.length, note: null }, coding)
    t.match(responseBody, { text: '{"ok":"ja"}', decodedFrom: coding === 'identity' ? null : coding }, coding)
  }
  look.stop()
  await get(proxy.port, 'shop.localhost', '/identity?later', { method: 'POST', body: 'x' })
  const later = await proxy.row(({ path }) => path === '/identity?later')
  t.equal((await proxy.detail(later.id)).requestBody.text, null)
})

t.test('spills large bodies to disk, and keeps none above 1 MB', async t => {
  const proxy = await inspected(t, { options: { record: 'full' } })
  const { port } = await serve(t, (req, res) => {
    req.resume()
    res.end(Buffer.alloc(Number(req.url?.slice(1)), 'y'))
  })
  proxy.catalog.project('shop')
  proxy.catalog.set('shop:web', at(port))
  const folder = join(proxy.data, 'requests')
  await get(proxy.port, 'shop.localhost', '/60000')
  await proxy.row(({ path, durationMs }) => path === '/60000' && durationMs !== null)
  t.notOk(existsSync(folder), 'in memory')
  await get(proxy.port, 'shop.localhost', '/900000')
  const large = await proxy.row(({ path, durationMs }) => path === '/900000' && durationMs !== null)
  t.equal((await proxy.detail(large.id)).responseBody.text?.length, 900_000)
  t.equal(readdirSync(folder).length, 1)
  await get(proxy.port, 'shop.localhost', '/3000000')
  const huge = await proxy.row(({ path, durationMs }) => path === '/3000000' && durationMs !== null)
  t.match((await proxy.detail(huge.id)).responseBody, {
    bytes: 3_000_000,
    text: null,
    note: 'Not kept: larger than 1 MB.',
  })
  await proxy.app.inject({ method: 'DELETE', url: '/requests' })
  t.strictSame(await proxy.list(), [])
  await proxy.close()
  t.notOk(existsSync(folder), 'deleted')
})

t.test('records what locald answers itself, and what fails', async t => {
  const proxy = await inspected(t)
  proxy.catalog.project('shop')
  proxy.catalog.set('shop:web', { status: 'failed', port: null, reason: 'exited with code 1' })
  await get(proxy.port, 'shop.localhost', '/failed')
  await get(proxy.port, 'nobody.localhost', '/unknown')
  await get(proxy.port, 'localhost', '/')
  t.match(await proxy.row(({ path }) => path === '/failed'), { answeredBy: 'locald', service: 'shop:web' })
  t.match(await proxy.row(({ path }) => path === '/unknown'), { answeredBy: 'locald', status: 404 })
  t.equal((await proxy.list()).length, 2, 'not its own hosts')
  const server = await listening(
    t,
    http.createServer((req, res) => {
      if (req.url === '/cut') {
        res.writeHead(200, { 'content-length': '100' })
        res.write('part')
        setImmediate(() => req.socket.destroy())
      } else req.socket.destroy()
    }),
  )
  proxy.catalog.set('shop:web', { ...at(server.port), reason: null })
  await get(proxy.port, 'shop.localhost', '/lost', { method: 'POST', body: 'x' })
  t.match(await proxy.row(({ path, status }) => path === '/lost' && status !== null), {
    ...{ answeredBy: 'locald', status: 502, service: 'shop:web', error: 'closed the connection without a response' },
  })
  await get(proxy.port, 'shop.localhost', '/cut').catch(() => undefined)
  t.match(await proxy.row(({ path }) => path === '/cut'), { status: 200, error: /closed the connection/ })
})

t.test('records requests whose client disconnects', async t => {
  const proxy = await inspected(t)
  const arrived = latch()
  const { port } = await serve(t, () => arrived.open())
  proxy.catalog.project('shop')
  proxy.catalog.set('shop:web', at(port))
  const req = http.get({ port: proxy.port, host: '127.0.0.1', path: '/slow', headers: { host: 'shop.localhost' } })
  req.on('error', () => undefined)
  await arrived.promise
  req.destroy()
  t.match(await proxy.row(({ path }) => path === '/slow'), { status: null, error: 'the client disconnected' })
})

t.test('records frames of WebSockets, compressed ones too, from those who open before anyone looks', async t => {
  for (const perMessageDeflate of [false, true]) {
    const proxy = await inspected(t)
    const server = await listening(t, http.createServer())
    new WebSocketServer({ server, perMessageDeflate: perMessageDeflate && { threshold: 0 } }).on(
      'connection',
      (socket: Client) => {
        socket.on('message', data => socket.send(`echo ${data}`))
      },
    )
    proxy.catalog.project('shop')
    proxy.catalog.set('shop:web', at(server.port))
    const headers = { host: 'shop.localhost' }
    const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/live`, { headers, perMessageDeflate })
    await once(socket, 'open')
    const look = proxy.look()
    for (const text of ['one', 'two', 'x'.repeat(70_000)]) {
      socket.send(text)
      await once(socket, 'message')
    }
    const row = await proxy.row(({ path, responseBytes }) => path === '/live' && responseBytes > 0)
    t.match(row, { kind: 'websocket', status: 101, durationMs: null })
    socket.close(1000, 'done')
    await once(socket, 'close')
    const closed = await proxy.row(({ id, durationMs }) => id === row.id && durationMs !== null)
    const { frames } = await proxy.detail(closed.id)
    t.match(
      frames.map(({ from, type, text }) => `${from} ${type} ${text}`),
      [
        ...['client text one', 'service text echo one', 'client text two', 'service text echo two'],
        ...(perMessageDeflate ? [] : ['client text null', 'service text null']),
      ],
      `deflate ${perMessageDeflate}`,
    )
    t.ok(frames.some(({ type, text }) => type === 'close' && text === '1000 done'))
    look.stop()
  }
})

t.test('records server-sent events', async t => {
  const proxy = await inspected(t)
  const { port } = await serve(t, (_, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    res.write('event: a\ndata: one\n\nda')
    setImmediate(() => res.end('ta: two\r\n\r\n'))
  })
  proxy.catalog.project('shop')
  proxy.catalog.set('shop:web', at(port))
  proxy.look()
  await get(proxy.port, 'shop.localhost', '/events', { headers: { accept: 'text/event-stream' } })
  const row = await proxy.row(({ path, durationMs }) => path === '/events' && durationMs !== null)
  t.equal(row.kind, 'sse')
  const { frames } = await proxy.detail(row.id)
  t.strictSame(
    frames.map(({ text }) => text),
    ['event: a\ndata: one', 'data: two'],
  )
})

t.test('keeps the latest 500, and groups those of a page', async t => {
  const proxy = await inspected(t)
  const { port } = await serve(t, (_, res) => res.end())
  proxy.catalog.project('shop')
  proxy.catalog.set('shop:web', at(port))
  const agent = new http.Agent({ keepAlive: true, maxSockets: 4 })
  t.teardown(() => agent.destroy())
  await Promise.all(Array.from({ length: 520 }, (_, i) => get(proxy.port, 'shop.localhost', `/${i}`, { agent })))
  t.equal((await proxy.list()).length, 500)
  const referer = 'http://shop.localhost/page'
  await get(proxy.port, 'shop.localhost', '/page', { headers: { 'sec-fetch-dest': 'document' } })
  await get(proxy.port, 'shop.localhost', '/a.css', { headers: { referer } })
  await get(proxy.port, 'shop.localhost', '/font', { headers: { referer: 'http://shop.localhost/a.css' } })
  const [page, css, font] = (await proxy.list()).slice(-3)
  t.strictSame([page?.page, css?.page, font?.page], [page?.id, page?.id, page?.id])
  t.equal((await proxy.list('?path=/a.*&status=2xx&method=get&q=shop')).length, 1)
  t.equal((await proxy.list('?service=web&tail=3')).length, 3)
})

t.test('records nothing where that is off', async t => {
  const proxy = await inspected(t, { options: { record: 'off' } })
  const { port } = await serve(t, (_, res) => res.end())
  proxy.catalog.project('shop')
  proxy.catalog.set('shop:web', at(port))
  await get(proxy.port, 'shop.localhost')
  await get(proxy.port, 'shop.localhost', '/', { method: 'POST', body: 'x' })
  t.strictSame(await proxy.list(), [])
})
