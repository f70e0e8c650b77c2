import type { Socket } from 'node:net'
import t from 'tap'
import { boot } from '../lib/boot.ts'
import { get, textOf } from '../lib/client.ts'
import { at, raw, serve } from '../lib/services.ts'
import { eventually, latch } from '../lib/wait.ts'

t.test('connections to services', async t => {
  const { port, catalog } = await boot(t, { limits: { upstreamIdle: 150, grace: 100 } })

  await t.test('are reused, and closed when idle; a slow response is not idle', async t => {
    let connections = 0
    const closed = latch()
    const slow = latch()
    const service = await serve(t, async (req, res) => {
      if (req.url === '/slow') await slow.promise
      res.end('x')
    })
    service.keepAliveTimeout = 60_000
    service.on('connection', (socket: Socket) => {
      connections++
      socket.once('close', () => closed.open())
    })
    catalog.set('shop:web', at(service.port))
    for (let i = 0; i < 5; i++) await get(port, 'shop.localhost')
    t.equal(connections, 1)
    const answer = get(port, 'shop.localhost', '/slow')
    setTimeout(() => slow.open(), 400)
    t.equal((await answer).body, 'x')
    await closed.promise
    t.equal(connections, 1, 'closed by the proxy, after the answer')
  })

  await t.test('retries a GET once on a stale connection, and sends a POST once', async t => {
    const seen: string[] = []
    const perConnection: number[] = []
    const service = await raw(t, socket => {
      let requests = 0
      const index = perConnection.push(0) - 1
      socket.on('data', data => {
        seen.push(data.toString('latin1').split(' ')[0] ?? '')
        perConnection[index] = ++requests
        // The race of every keep-alive: the server closes while the next request is in flight.
        if (requests > 1) socket.destroy()
        else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      })
    })
    catalog.set('shop:web', at(service.port))
    t.equal((await get(port, 'shop.localhost')).body, 'ok')
    t.equal((await get(port, 'shop.localhost')).body, 'ok', 'retried on a new connection')
    t.strictSame(seen, ['GET', 'GET', 'GET'])
    await get(port, 'shop.localhost')
    seen.length = 0
    t.equal(
      (await get(port, 'shop.localhost', '/', { method: 'POST', body: 'x' })).body,
      'ok',
      'on a connection of its own',
    )
    t.strictSame(seen, ['POST'])
    t.equal((await get(port, 'shop.localhost', '/', { method: 'PUT', body: 'x' })).body, 'ok')
    t.strictSame(seen, ['POST', 'PUT'])
  })

  await t.test('are closed after requests that may not be retried', async t => {
    let open = 0
    const service = await serve(t, (req, res) => void req.resume().on('end', () => res.end('x')))
    service.on('connection', (socket: Socket) => {
      open++
      socket.once('close', () => open--)
    })
    catalog.set('shop:web', at(service.port))
    for (const headers of [{}, { te: 'trailers' }]) {
      await get(port, 'shop.localhost', '/', { method: 'POST', body: 'x', headers })
      await eventually(() => open === 0, 'the connection is closed')
    }
  })

  await t.test('does not retry a request that the service drops on a new connection', async t => {
    let requests = 0
    const service = await raw(t, socket => {
      socket.on('data', () => {
        requests++
        socket.destroy()
      })
    })
    catalog.set('shop:web', at(service.port))
    for (const method of ['GET', 'POST']) {
      requests = 0
      const got = await get(port, 'shop.localhost', '/', { method, body: method === 'POST' ? 'x' : '' })
      t.equal(got.status, 502)
      t.equal(got.header('x-locald'), 'upstream-error')
      t.match(JSON.parse(got.body).error, {
        code: 'SERVICE_FAILED',
        message: 'shop:web closed the connection without a response',
      })
      t.equal(requests, 1, method)
    }
  })

  await t.test('use the other loopback family when refused', async t => {
    const six = await serve(t, async (req, res) => res.end(`six ${await textOf(req)}`), '::1')
    const four = await serve(t, async (req, res) => res.end(`four ${await textOf(req)}`))
    for (const method of ['GET', 'POST']) {
      const body = method === 'POST' ? 'body' : ''
      catalog.set('shop:web', at(six.port))
      t.equal((await get(port, 'shop.localhost', '/', { method, body })).body, `six ${body}`)
      catalog.set('shop:web', at(four.port, '::1'))
      t.equal((await get(port, 'shop.localhost', '/', { method, body })).body, `four ${body}`)
      catalog.set('shop:web', at(four.port, '0.0.0.0'))
      t.equal((await get(port, 'shop.localhost', '/', { method, body })).body, `four ${body}`)
      catalog.set('shop:web', { port: four.port, upstream: null })
      t.equal(
        (await get(port, 'shop.localhost', '/', { method, body })).body,
        `four ${body}`,
        'the leased port until it is seen to listen',
      )
    }
  })
})
