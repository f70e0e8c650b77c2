import { once } from 'node:events'
import http2, { type ClientHttp2Session } from 'node:http2'
import type net from 'node:net'
import t from 'tap'
import { boot } from '../lib/boot.ts'
import { textOf } from '../lib/client.ts'
import { at, raw, serve } from '../lib/services.ts'
import { eventually } from '../lib/wait.ts'
import { ask, responseOf, session } from './client.ts'

t.test('HTTP/2 requests to services', async t => {
  const run = await boot(t, { https: true })
  const { catalog } = run
  catalog.project('shop')
  const client = await session(t, run)

  await t.test('retries a GET once on a stale connection, and sends a POST once', async t => {
    const seen: string[] = []
    const service = await raw(t, socket => {
      let requests = 0
      socket.on('data', data => {
        if (/^(GET|POST)/.test(data.toString())) seen.push(data.toString().split(' ')[0] ?? '')
        if (++requests > 1) socket.destroy()
        else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      })
    })
    catalog.set('shop:web', at(service.port))
    for (let i = 0; i < 2; i++) t.match(await ask(client), { body: 'ok' })
    t.strictSame(seen, ['GET', 'GET', 'GET'])
    await ask(client)
    seen.length = 0
    t.match(await ask(client, { ':method': 'POST' }), { body: 'ok' })
    t.strictSame(seen, ['POST'])
    const dropping = await raw(
      t,
      socket =>
        void socket.once('data', data => {
          seen.push(data.toString().split(' ')[0] ?? '')
          socket.destroy()
        }),
    )
    catalog.set('shop:web', at(dropping.port))
    for (const method of ['GET', 'POST']) {
      seen.length = 0
      const got = await ask(client, { ':method': method }, method === 'POST' ? 'x' : undefined)
      t.match(got, { status: 502 })
      t.match(got.body, /closed the connection without a response/)
      t.strictSame(seen, [method])
    }
  })
})

t.test('serves a thousand requests at once without warm connections', { timeout: 60_000 }, async t => {
  for (let i = 0; i < 3; i++) {
    const run = await boot(t, { https: true })
    const service = await serve(t, (req, res) => void setTimeout(() => res.end(req.url), 1))
    run.catalog.set('shop:web', at(service.port))
    const client = await session(t, run)
    const paths = Array.from({ length: 1000 }, (_, i) => `/${i}`)
    const answers = await Promise.all(paths.map(path => ask(client, { ':path': path })))
    t.strictSame(
      answers.map(({ body }) => body),
      paths,
    )
    await run.close()
  }
})

t.test('queues requests beyond the limit of connections', async t => {
  const run = await boot(t, { https: true, limits: { upstreamSockets: 3, upstreamConnecting: 2 } })
  let open = 0
  let most = 0
  const service = await serve(t, async (req, res) => {
    await textOf(req)
    setImmediate(() => res.end('x'))
  })
  service.on('connection', (socket: net.Socket) => {
    most = Math.max(most, ++open)
    socket.once('close', () => open--)
  })
  run.catalog.set('shop:web', at(service.port))
  const client = await session(t, run)
  const all = Array.from({ length: 60 }, (_, i) =>
    i % 3 === 0 ? ask(client, { ':method': 'POST' }, 'body') : ask(client),
  )
  const left = client.request({ ':authority': 'shop.localhost', ':path': '/' })
  left.on('error', () => undefined)
  left.close(http2.constants.NGHTTP2_CANCEL)
  for (const { body } of await Promise.all(all)) if (body !== 'x') t.fail(body)
  t.ok(most <= 4, `${most} connections at once`)
  t.match(await ask(client, { ':method': 'POST' }, 'body'), { body: 'x' }, 'one that is idle makes room')
})

t.test('serves a page that is reloaded repeatedly', async t => {
  const run = await boot(t, { https: true })
  let open = 0
  const service = await serve(t, (_req, res) => {
    open++
    res.once('close', () => open--)
    if (_req.url === '/last') res.end('fine')
  })
  run.catalog.set('shop:web', at(service.port))
  const client = await session(t, run)
  for (let i = 0; i < 4; i++) {
    const streams = Array.from({ length: 200 }, () => client.request({ ':authority': 'shop.localhost', ':path': '/' }))
    for (const stream of streams) stream.on('error', () => undefined)
    await eventually(() => open === 200, 'all are under way')
    for (const stream of streams) stream.close(http2.constants.NGHTTP2_CANCEL)
    await eventually(() => open === 0, 'all are let go')
  }
  t.match(await ask(client, { ':path': '/last' }), { body: 'fine' })
})

t.test('serves all modules of a page of 300 that is reloaded five times', async t => {
  const run = await boot(t, { https: true })
  const service = await serve(t, (_req, res) => res.end('a module'))
  run.catalog.set('shop:web', at(service.port))
  // As a browser does: a connection that sent GOAWAY finishes its streams; requests it did not process are sent again
  // on a new one.
  let says = 0
  const open = async (): Promise<ClientHttp2Session> => {
    const made = await session(t, run)
    made.on('goaway', code => t.equal(code, http2.constants.NGHTTP2_NO_ERROR, `goodbye ${++says}`))
    return made
  }
  let opening = open()
  const current = async (): Promise<ClientHttp2Session> => {
    const now = opening
    if ((await now).closed && now === opening) opening = open()
    return opening
  }
  const module = async (): Promise<string> => {
    const client = await current()
    const stream = client.request({ ':authority': 'shop.localhost', ':path': '/' })
    try {
      return (await responseOf(stream)).body
    } catch (error) {
      if (stream.rstCode === http2.constants.NGHTTP2_REFUSED_STREAM && client.closed) return module()
      throw error
    }
  }
  for (let i = 0; i < 5; i++) {
    const client = await current()
    // All responses are complete, and hardly read.
    client.settings({ enablePush: false, initialWindowSize: 1 })
    const streams = Array.from({ length: 300 }, () => client.request({ ':authority': 'shop.localhost', ':path': '/' }))
    await Promise.all(
      streams.map(async stream => {
        const closed = new Promise(resolve => stream.once('close', resolve))
        // Not processed, if GOAWAY was in flight.
        await once(stream, 'response').catch(() => undefined)
        stream.close(http2.constants.NGHTTP2_CANCEL)
        await closed
      }),
    )
  }
  const loaded = await Promise.all(Array.from({ length: 300 }, () => module().catch(String)))
  t.strictSame([...new Set(loaded)], ['a module'], `with ${says} GOAWAYs`)
})
