import { once } from 'node:events'
import http, { type RequestListener } from 'node:http'
import http2, { type IncomingHttpHeaders } from 'node:http2'
import { connect as tlsConnect } from 'node:tls'
import t from 'tap'
import { freePort } from '../../../lib/ports.ts'
import { boot } from '../lib/boot.ts'
import { get, textOf } from '../lib/client.ts'
import { at, raw, serve } from '../lib/services.ts'
import { deadline, eventually } from '../lib/wait.ts'

t.test('services that fail to respond', async t => {
  await t.test('waits for a service that reloads its own code', async t => {
    const { port, catalog, close } = await boot(t, { limits: { grace: 50 } })
    const seen: string[] = []
    const listener: RequestListener = async (req, res) => {
      seen.push(`${req.method} ${await textOf(req)}`)
      if (seen.length > 1) res.end('new')
    }
    const old = await serve(t, listener)
    catalog.set('shop:web', at(old.port))
    const broken = get(port, 'shop.localhost')
    await eventually(() => seen.length === 1, 'the old code has it')
    old.closeAllConnections()
    old.close()
    await once(old, 'close')
    const answers = [broken, ...['POST', 'PUT', 'GET'].map(method => get(port, 'shop.localhost', '/', { method }))]
    await new Promise(resolve => setTimeout(resolve, 300))
    const fresh = http.createServer(listener).listen(old.port, '127.0.0.1')
    t.teardown(() => fresh.close())
    t.strictSame(
      (await Promise.all(answers)).map(({ body }) => body),
      ['new', 'new', 'new', 'new'],
    )
    t.strictSame(
      seen.toSorted(),
      ['GET ', 'GET ', 'GET ', 'POST ', 'PUT '],
      'each once, except the one that was cut off',
    )
    await close()
  })

  await t.test('sends a request that crashes its service twice at most', async t => {
    const { port, securePort, ca, catalog } = await boot(t, { https: true })
    let crashes = 0
    const service = await raw(t, socket => {
      socket.on('data', data => {
        if (data.includes('/fine')) return void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
        crashes++
        // As its supervisor reports it: it exits, and runs again.
        catalog.set('shop:web', { status: 'restarting' })
        socket.destroy()
        // Only once the request waits for it, unless it is retried at once.
        const back = () => {
          if (catalog.waiting > 0) catalog.set('shop:web', at(service.port))
          else if (crashes === 1) setImmediate(back)
        }
        back()
      })
    })
    const agent = new http.Agent({ keepAlive: true })
    t.teardown(() => agent.destroy())
    const client = http2.connect(`https://shop.localhost:${securePort}`, {
      createConnection: () =>
        tlsConnect({ host: '127.0.0.1', port: securePort, ca, servername: 'shop.localhost', ALPNProtocols: ['h2'] }),
    })
    t.teardown(() => client.destroy())
    const secure = async (path: string) => {
      const stream = client.request({ ':path': path })
      const [headers]: IncomingHttpHeaders[] = await once(stream, 'response')
      stream.resume()
      return Number(headers?.[':status'])
    }
    const plain = async (path: string, headers = {}) => (await get(port, 'shop.localhost', path, { headers })).status
    for (const [what, ask] of Object.entries({
      'the fast path': plain,
      'node:http': (path: string) => plain(path, { te: 'trailers' }),
      'HTTP/2': secure,
    })) {
      for (const warm of [false, true]) {
        catalog.set('shop:web', at(service.port))
        if (warm) t.equal(await ask('/fine'), 200)
        crashes = 0
        t.equal(await ask('/'), 502, `${what}, ${warm ? 'on a connection used before' : 'on a new connection'}`)
        t.equal(crashes, 2)
      }
    }
  })

  await t.test('reports a service that does not listen', async t => {
    const { port, catalog } = await boot(t, { limits: { reconnect: 100 } })
    const closed = await freePort()
    catalog.set('shop:web', at(closed))
    const got = await get(port, 'shop.localhost')
    t.equal(got.status, 502)
    t.equal(got.header('x-locald'), 'refused')
    t.match(JSON.parse(got.body).error.message, `nothing listens on 127.0.0.1:${closed}`)
    catalog.set('shop:web', { port: null, upstream: null })
    t.match((await get(port, 'shop.localhost')).body, /does not listen on a port/)
  })

  await t.test('holds a request refused during a crash until the service restarts', async t => {
    let posts = 0
    const service = await serve(t, async (req, res) => {
      posts++
      res.end(await textOf(req))
    })
    const { port, catalog } = await boot(t, { limits: { grace: deadline } })
    catalog.set('shop:web', at(await freePort()))
    const answer = get(port, 'shop.localhost', '/', { method: 'POST', body: 'kept' })
    await eventually(() => catalog.listeners.size > 1, 'the request waits for news')
    catalog.set('shop:web', { status: 'restarting' })
    await eventually(() => catalog.waiting === 1, 'the request is held')
    catalog.set('shop:web', at(service.port))
    t.equal((await answer).body, 'kept')
    t.equal(posts, 1)
    t.equal(catalog.listeners.size, 1, 'nobody listens on')
  })

  await t.test('holds it also after an earlier refusal', async t => {
    const service = await serve(t, (_, res) => res.end('back'))
    const { port, catalog } = await boot(t, { limits: { reconnect: 400, grace: 200 } })
    catalog.set('shop:web', at(await freePort()))
    t.equal((await get(port, 'shop.localhost')).status, 502)
    const answer = get(port, 'shop.localhost')
    await eventually(() => catalog.listeners.size > 1, 'the request waits for news')
    catalog.set('shop:web', { status: 'restarting' })
    await eventually(() => catalog.waiting === 1, 'the request is held')
    catalog.set('shop:web', at(service.port))
    catalog.set('shop:web', { status: 'running' })
    t.equal((await answer).body, 'back')
  })
})

t.test('forwards to a program that listens in place of a stopped service', async t => {
  const { port, catalog } = await boot(t)
  const debugged = await serve(t, async (req, res) => res.end(`${req.method} ${await textOf(req)}`))
  for (const status of ['stopped', 'failed', 'exited'] as const) {
    catalog.set('shop:web', { ...at(debugged.port), status })
    catalog.standIns.clear()
    t.equal(
      (await get(port, 'shop.localhost')).status,
      503,
      'a program on its port that is no stand-in gets no request',
    )
    catalog.standIns.add('shop:web')
    t.equal((await get(port, 'shop.localhost')).body, 'GET ')
    t.equal((await get(port, 'shop.localhost', '/', { method: 'POST', body: 'x' })).body, 'POST x')
    catalog.set('shop:web', { ...at(await freePort()), status })
    t.equal((await get(port, 'shop.localhost')).status, 503, 'after its timeout')
  }
})
