import { once } from 'node:events'
import http, { type RequestListener } from 'node:http'
import http2, { type IncomingHttpHeaders } from 'node:http2'
import https from 'node:https'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { TLSSocket, connect as tlsConnect } from 'node:tls'
import t from 'tap'
import { openAuthority } from '../../../plugins/https/ca/authority.ts'
import { LeafCertificates } from '../../../plugins/https/ca/leaf-certificates.ts'
import { Crashes } from '../../../plugins/proxy/routing/crashes.ts'
import {
  at,
  boot,
  deadline,
  eventually,
  FakeCatalog,
  type Got,
  gate,
  get,
  listening,
  raw,
  scripted,
  serve,
  textOf,
  unused,
  wire,
} from './harness.ts'

const navigation = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8', 'sec-fetch-mode': 'navigate' }

t.test('connections to services', async t => {
  const { port, catalog } = await boot(t, { limits: { upstreamIdle: 150, grace: 100 } })

  await t.test('are reused, and closed when idle; a slow answer is not idle', async t => {
    let connections = 0
    const closed = gate()
    const slow = gate()
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

  await t.test('one that went stale costs a repetition, never a failure; a POST is sent once', async t => {
    const seen: string[] = []
    const perConnection: number[] = []
    const service = await raw(t, socket => {
      let requests = 0
      const index = perConnection.push(0) - 1
      socket.on('data', data => {
        seen.push(data.toString('latin1').split(' ')[0] ?? '')
        perConnection[index] = ++requests
        // The race of every keep-alive: the server closes while the next request is under way.
        if (requests > 1) socket.destroy()
        else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      })
    })
    catalog.set('shop:web', at(service.port))
    t.equal((await get(port, 'shop.localhost')).body, 'ok')
    t.equal((await get(port, 'shop.localhost')).body, 'ok', 'repeated on a new connection')
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

  await t.test('those of requests that may not be repeated end with them', async t => {
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

  await t.test('a request that the service drops is not repeated on a new connection', async t => {
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

  await t.test('go to the other loopback family where nobody listens', async t => {
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

  await t.test('a service that loads its code anew by itself', async t => {
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
      'each once, but for the one that broke off',
    )
    await close()
  })

  await t.test('a request that ends its service each time is sent twice at most', async t => {
    const { port, securePort, ca, catalog } = await boot(t, { https: true })
    let crashes = 0
    const service = await raw(t, socket => {
      socket.on('data', data => {
        if (data.includes('/fine')) return void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
        crashes++
        // As its supervisor has it: it ends, and is there again.
        catalog.set('shop:web', { status: 'restarting' })
        socket.destroy()
        // Not before the request waits for it, unless it is sent again at once.
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
      'the fast lane': plain,
      'the other lane': (path: string) => plain(path, { te: 'trailers' }),
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

  await t.test('a URL that crashes its service is not repeated by the proxy and its page in turn', async t => {
    const { port, catalog } = await boot(t, { limits: { progress: 30, poll: 30 } })
    const seen: string[] = []
    let isBack = true
    const service = await raw(t, socket => {
      socket.on('data', data => {
        const [line = ''] = data.toString('latin1').split(' HTTP')
        seen.push(line)
        if (!line.includes('/die')) return void socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
        const restarts = seen.filter(line => line.includes('/die')).length
        const reason = `exited with code 7; restarting in 0.1 s (attempt ${restarts} of 5)`
        catalog.set('shop:web', { status: 'restarting', restarts, reason })
        socket.destroy()
        if (isBack) setImmediate(() => catalog.set('shop:web', { ...at(service.port), reason: null }))
      })
    })
    const begin = () => {
      catalog.set('shop:web', { status: 'waiting', restarts: 0, reason: null })
      catalog.set('shop:web', at(service.port))
      seen.length = 0
    }
    const visit = () => get(port, 'shop.localhost', '/die?x', { headers: navigation })
    begin()
    isBack = false
    const page = await visit()
    t.match([page.status, page.header('x-locald')], [503, 'starting'], 'the page waits for the service')
    isBack = true
    catalog.set('shop:web', { ...at(service.port), reason: null })
    const reloaded = await visit()
    t.match([reloaded.status, reloaded.header('x-locald')], [502, 'crashed'])
    t.match(reloaded.body, 'shop:web crashed twice on GET /die: exited with code 7')
    t.notMatch(reloaded.body, '?x', 'a query may hold secrets')
    t.strictSame(seen, ['GET /die?x', 'GET /die?x'])
    await eventually(() => catalog.get('shop:web')?.status === 'running', 'it recovers')
    t.equal((await get(port, 'shop.localhost', '/other', { headers: navigation })).body, 'ok', 'others are served')
    t.equal((await visit()).status, 502, 'a person may try again')
    t.equal(seen.length, 4, 'which is one crash')

    begin()
    t.equal((await visit()).status, 502, 'with a restart that is quick')
    t.equal(seen.length, 2, 'and with a new run, which may be of other code')
    for (const method of ['POST', 'PUT', 'DELETE']) {
      for (const body of method === 'DELETE' ? [''] : ['', 'x']) {
        await eventually(() => catalog.get('shop:web')?.status === 'running', 'it recovers')
        begin()
        const got = await get(port, 'shop.localhost', '/die', { method, body })
        t.match(JSON.parse(got.body).error.message, `shop:web crashed on ${method} /die: exited with code 7`)
        t.strictSame(seen, [`${method} /die`], 'is never repeated')
      }
    }
  })

  await t.test('nobody listens', async t => {
    const { port, catalog } = await boot(t, { limits: { reconnect: 100 } })
    const closed = await unused()
    catalog.set('shop:web', at(closed))
    const got = await get(port, 'shop.localhost')
    t.equal(got.status, 502)
    t.equal(got.header('x-locald'), 'refused')
    t.match(JSON.parse(got.body).error.message, `nothing listens on 127.0.0.1:${closed}`)
    catalog.set('shop:web', { port: null, upstream: null })
    t.match((await get(port, 'shop.localhost')).body, /does not listen on a port/)
  })

  await t.test('a refusal in the moment of a crash waits for what becomes of the service', async t => {
    let posts = 0
    const service = await serve(t, async (req, res) => {
      posts++
      res.end(await textOf(req))
    })
    const { port, catalog } = await boot(t, { limits: { grace: deadline } })
    catalog.set('shop:web', at(await unused()))
    const answer = get(port, 'shop.localhost', '/', { method: 'POST', body: 'kept' })
    await eventually(() => catalog.listeners.size > 1, 'the request waits for news')
    catalog.set('shop:web', { status: 'restarting' })
    await eventually(() => catalog.waiting === 1, 'the request is held')
    catalog.set('shop:web', at(service.port))
    t.equal((await answer).body, 'kept')
    t.equal(posts, 1)
    t.equal(catalog.listeners.size, 1, 'nobody listens on')
  })

  await t.test('also where nobody has listened lately', async t => {
    const service = await serve(t, (_, res) => res.end('back'))
    const { port, catalog } = await boot(t, { limits: { reconnect: 400, grace: 200 } })
    catalog.set('shop:web', at(await unused()))
    t.equal((await get(port, 'shop.localhost')).status, 502)
    const answer = get(port, 'shop.localhost')
    await eventually(() => catalog.listeners.size > 1, 'the request waits for news')
    catalog.set('shop:web', { status: 'restarting' })
    await eventually(() => catalog.waiting === 1, 'the request is held')
    catalog.set('shop:web', at(service.port))
    catalog.set('shop:web', { status: 'running' })
    t.equal((await answer).body, 'back')
  })

  await t.test('answers that are not strict, but that others read as well', async t => {
    const cases: [what: string, head: string, body: string][] = [
      ['lines that end in LF', 'HTTP/1.1 200 OK\nX: a\nContent-Length: 2\n\n', 'ok'],
      ['to the end of the connection', 'HTTP/1.0 200 OK\nX: a\n\n', 'ok'],
      ['a line that goes on', 'HTTP/1.1 200 OK\r\nX:\r\n\t a\r\nContent-Length: 2\r\n\r\n', 'ok'],
      [
        'a length twice',
        'HTTP/1.1 200 OK\r\nX: a\r\nContent-Length: 2\r\ncontent-length: 2\r\n\r\n',
        'okHTTP/1.1 200 OK',
      ],
      ['a list of lengths', 'HTTP/1.1 200 OK\r\nX: a\r\nContent-Length: 2, 2\r\n\r\n', 'okHTTP/1.1 200 OK'],
      ['chunks and a length', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: a\r\nTransfer-Encoding: chunked\r\n\r\n', ''],
      ['a tab', 'HTTP/1.1 200 OK\r\nX: a\r\nTransfer-Encoding: chunked\t\r\n\r\n', ''],
      ['a list of one', 'HTTP/1.1 200 OK\r\nX: a\r\nTransfer-Encoding: , chunked,\r\n\r\n', ''],
    ]
    for (const [what, head, body] of cases) {
      let connections = 0
      const service = await raw(t, socket => {
        connections++
        socket.on('data', () => {
          // In two pieces, and kept open where the body says where it ends.
          socket.write(head.slice(0, 30))
          setImmediate(() => socket.write(`${head.slice(30)}${body === '' ? '2\r\nok\r\n0\r\n\r\n' : body}`))
          if (head.startsWith('HTTP/1.0')) setImmediate(() => socket.end())
        })
      })
      catalog.set('shop:web', at(service.port))
      for (const method of ['GET', 'POST', 'GET']) {
        const got = await get(port, 'shop.localhost', '/', { method, body: method === 'POST' ? 'x' : '' })
        t.match([got.status, got.body, got.header('x')], [200, 'ok', 'a'], `${method}, ${what}`)
        t.notOk(got.header('content-length') !== undefined && got.header('transfer-encoding') !== undefined, what)
      }
      t.equal(connections, 3, `${what}: no connection is used again`)
    }
  })

  await t.test('answers that are none', async t => {
    const cases: [answer: string, message: RegExp][] = [
      ['SSH-2.0-OpenSSH\r\n', /that is not HTTP/],
      ['', /without a response/],
      [`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`, /head that is too large/],
      ['HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n', /transfer coding/],
      ['HTTP/1.1 200 OK\nTransfer-Encoding: chunked, chunked\n\n0\r\n\r\n', /transfer coding/],
      ['HTTP/1.1 200 OK\r\nTransfer-Encoding:\tidentity\r\n\r\nab', /transfer coding|that is not HTTP/],
      ['HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', /that is not HTTP/],
      ['HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nab', /that is not HTTP/],
      ['HTTP/1.1 200 OK\r\nX : a\r\n\r\n', /that is not HTTP/],
      ['HTTP/1.1 200 OK\r\nX: a\rY: b\r\n\r\n', /that is not HTTP/],
      ['HTTP/1.1 200 OK\r\n X: a\r\n\r\n', /that is not HTTP/],
      ['HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab', /that is not HTTP/],
      ['HTTP/1.1 200 O\x01K\r\nContent-Length: 0\r\n\r\n', /that is not HTTP/],
      ['HTTP/1.1 099 Low\r\nContent-Length: 0\r\n\r\n', /cannot be passed on|without a response|that is not HTTP/],
      ['HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n', /switched protocols/],
      ['HTTP/1.1 101 Switching Protocols\r\n\r\n', /switched protocols|without a response|that is not HTTP/],
    ]
    for (const [answer, message] of cases) {
      const service = await scripted(t, answer)
      catalog.set('shop:web', at(service.port))
      for (const method of ['GET', 'POST']) {
        const got = await get(port, 'shop.localhost', '/', { method, body: method === 'POST' ? 'x' : '' })
        t.equal(got.status, 502)
        t.match(got.body, message, JSON.stringify(answer.slice(0, 60)))
      }
    }
  })
})

t.test('a restart for a change of files is no crash', async t => {
  const catalog = new FakeCatalog()
  const crashes = new Crashes()
  catalog.on(event => crashes.handle(event))
  catalog.set('shop:web', { restarts: 2 })
  const begun = performance.now()
  // As the kernel does: it counts the restart once it has begun.
  catalog.set('shop:web', { status: 'restarting', reason: 'a.js changed' })
  catalog.set('shop:web', { status: 'waiting', restarts: 0, reason: null })
  catalog.set('shop:web', { restarts: 3 })
  catalog.set('shop:web', { status: 'running' })
  t.equal(crashes.since('shop:web', begun), undefined)
  catalog.set('shop:web', { status: 'restarting', restarts: 4, reason: 'exited with code 7; restarting in 0.1 s' })
  t.equal(crashes.since('shop:web', begun), 'exited with code 7')
  t.equal(crashes.run('shop:web'), 1)
})

t.test('what was started in the place of a service that does not run', async t => {
  const { port, catalog } = await boot(t)
  const debugged = await serve(t, async (req, res) => res.end(`${req.method} ${await textOf(req)}`))
  for (const status of ['stopped', 'failed', 'exited'] as const) {
    catalog.set('shop:web', { ...at(debugged.port), status })
    catalog.standIns.clear()
    t.equal((await get(port, 'shop.localhost')).status, 503, 'a stranger on its port is not asked')
    catalog.standIns.add('shop:web')
    t.equal((await get(port, 'shop.localhost')).body, 'GET ')
    t.equal((await get(port, 'shop.localhost', '/', { method: 'POST', body: 'x' })).body, 'POST x')
    catalog.set('shop:web', { ...at(await unused()), status })
    t.equal((await get(port, 'shop.localhost')).status, 503, 'when it has gone')
  }
})

t.test('a service that speaks TLS', async t => {
  const { port, securePort, ca, catalog } = await boot(t, { https: true, limits: { grace: 50, reconnect: 50 } })
  const own = new LeafCertificates(openAuthority(join(t.testdir(), 'ca'), ['localhost']), ['localhost']).own()
  let connections = 0
  const service = await listening(
    t,
    https.createServer({ ...own, ALPNProtocols: ['http/1.1'] }, async (req, res) => {
      const { socket } = req
      const [sni, alpn] = socket instanceof TLSSocket ? [Reflect.get(socket, 'servername'), socket.alpnProtocol] : []
      const proto = req.headers['x-forwarded-proto']
      res.end(`${req.method} ${await textOf(req)} ${sni} ${alpn} ${req.headers.host} ${proto}`)
    }),
  )
  service.on('secureConnection', () => connections++)
  service.on('upgrade', (_, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')
    socket.pipe(socket)
  })
  catalog.set('shop:web', { ...at(service.port), protocol: 'https' })
  const name = 'shop.localhost'

  await t.test('over HTTP/1.1, its connections reused', async t => {
    for (const headers of [{}, {}, { te: 'trailers' }])
      t.equal((await get(port, name, '/', { headers })).body, `GET  ${name} http/1.1 ${name} http`)
    t.equal(connections, 1)
    t.equal(
      (await get(port, name, '/', { method: 'POST', body: 'x'.repeat(100_000) })).body,
      `POST ${'x'.repeat(100_000)} ${name} http/1.1 ${name} http`,
    )
    t.match((await get(port, `web.${name}`)).body, `GET  web.${name} http/1.1`, 'by the name that was asked for')
  })

  await t.test('over HTTP/2, and WebSocket', async t => {
    const client = http2.connect(`https://${name}:${securePort}`, {
      createConnection: () =>
        tlsConnect({ host: '127.0.0.1', port: securePort, ca, servername: name, ALPNProtocols: ['h2'] }),
    })
    t.teardown(() => client.destroy())
    const stream = client.request({ ':path': '/' })
    t.equal(await textOf(stream), `GET  ${name} http/1.1 ${name}:${securePort} https`)
    const upgraded = wire(t, port).send(
      `GET / HTTP/1.1\r\nHost: ${name}\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nearly`,
    )
    await upgraded.has('101 Switching Protocols')
    await upgraded.has('early')
    await upgraded.send(' later').has('early later')
  })

  await t.test('one that does not say so is named', async t => {
    catalog.set('shop:web', { ...at(service.port), protocol: undefined })
    const fault = { message: 'web speaks TLS: set `protocol = "https"`', hint: 'Write `protocol = "https"`.' }
    catalog.faults.set('shop:web', fault)
    for (const method of ['GET', 'POST']) {
      catalog.set('shop:web', { fault: undefined })
      const got = await get(port, name, '/', { method, body: method === 'POST' ? 'x' : '' })
      t.match([got.status, JSON.parse(got.body).error], [502, fault])
    }
    catalog.faults.clear()
    catalog.set('shop:web', { protocol: 'https', fault: undefined })
    t.match((await get(port, name)).body, 'GET ')
  })

  await t.test('one that ceases to, or crashes, is an error', async t => {
    const plain = await serve(t, (_, res) => res.end('plain'))
    catalog.set('shop:web', { ...at(plain.port), protocol: 'https' })
    for (const headers of [{}, { te: 'trailers' }]) {
      const got = await get(port, name, '/', { headers })
      t.equal(got.status, 502)
      t.match(JSON.parse(got.body).error.message, /^shop:web /)
    }
    catalog.set('shop:web', at(await unused()))
    t.equal((await get(port, name, '/', { method: 'POST', body: 'x' })).status, 502)
  })
})

t.test('requests for a service that is starting', async t => {
  await t.test('are held, their bodies unread, and delivered once', async t => {
    const { port, catalog } = await boot(t)
    const seen: string[] = []
    const service = await serve(t, async (req, res) => {
      seen.push(await textOf(req))
      res.end('done')
    })
    for (const status of ['waiting', 'starting', 'restarting'] as const) {
      seen.length = 0
      catalog.set('shop:web', { status, upstream: null })
      const body = 'x'.repeat(3_000_000)
      const answers = Array.from({ length: 20 }, (_, i) =>
        get(port, 'shop.localhost', '/', { method: 'POST', body: `${i}${body}` }),
      )
      const fetches = Array.from({ length: 20 }, () =>
        get(port, 'shop.localhost', '/', { headers: { accept: 'text/html', 'sec-fetch-mode': 'cors' } }),
      )
      await eventually(() => catalog.waiting === 40, 'all are held')
      t.strictSame(seen, [])
      catalog.set('shop:web', at(service.port))
      for (const answer of await Promise.all([...answers, ...fetches])) t.equal(answer.body, 'done')
      t.equal(seen.length, 40, 'each once')
      t.equal(seen.filter(text => text.endsWith(body)).length, 20)
      t.equal(catalog.waiting, 0)
    }
  })

  await t.test('learn of its end', async t => {
    const { port, catalog } = await boot(t)
    catalog.tails.set('shop:web', ['boom'])
    const ends = [
      { status: 'failed', reason: 'it crashed', expected: 503 },
      { status: 'stopped', reason: null, expected: 503 },
    ] as const
    for (const { status, reason, expected } of ends) {
      catalog.set('shop:web', { status: 'starting' })
      const answer = get(port, 'shop.localhost')
      await eventually(() => catalog.waiting === 1, 'it is held')
      catalog.set('shop:web', { status, reason })
      t.equal((await answer).status, expected)
    }
    catalog.set('shop:web', { status: 'starting' })
    const answer = get(port, 'shop.localhost')
    await eventually(() => catalog.waiting === 1, 'it is held')
    catalog.remove('shop:web')
    t.equal((await answer).status, 404)
  })

  await t.test('wait for a bounded time, and again if it starts anew', async t => {
    const { port, catalog } = await boot(t, { limits: { hold: 200 } })
    catalog.set('shop:web', { status: 'starting', reason: 'waiting for db' })
    const got = await get(port, 'shop.localhost')
    t.equal(got.status, 503)
    t.equal(got.header('retry-after'), '1')
    t.match(JSON.parse(got.body).error, { code: 'WAIT_TIMEOUT', message: 'shop:web is still starting' })
    t.equal(catalog.waiting, 0)
    const client = wire(t, port).send('GET / HTTP/1.1\r\nHost: shop.localhost\r\n\r\n')
    await eventually(() => catalog.waiting === 1, 'it is held')
    client.socket.destroy()
    await eventually(() => catalog.waiting === 0, 'a client that leaves is forgotten')
  })

  await t.test('are few enough', async t => {
    const { port, catalog } = await boot(t, { limits: { heldPerService: 3, heldTotal: 5, progress: deadline } })
    for (const name of ['web', 'api', 'doc']) catalog.set(`shop:${name}`, { status: 'starting' })
    const hosts = ['shop.localhost', 'api.shop.localhost', 'doc.shop.localhost']
    const refused: Got[] = []
    const answers = hosts.flatMap(host =>
      Array.from({ length: 4 }, async () => {
        const got = await get(port, host)
        if (got.status === 503) refused.push(got)
        return got
      }),
    )
    const service = await serve(t, (_req, res) => res.end('up'))
    await eventually(() => refused.length === 7, 'the others are refused')
    t.equal(catalog.waiting, 5)
    t.equal(refused[0]?.header('x-locald'), 'busy')
    t.equal(refused[0]?.header('retry-after'), '1')
    for (const name of ['web', 'api', 'doc']) catalog.set(`shop:${name}`, at(service.port))
    const all = await Promise.all(answers)
    t.equal(all.filter(got => got.status === 200).length, 5)
    catalog.set('shop:web', { status: 'starting' })
    const again = get(port, 'shop.localhost')
    await eventually(() => catalog.waiting === 1, 'places are given back')
    catalog.set('shop:web', at(service.port))
    t.equal((await again).status, 200)
  })

  await t.test('show a browser the progress', async t => {
    const { port, catalog } = await boot(t, { limits: { progress: 50, poll: 50 } })
    catalog.tails.set('shop:web', ['compiling <b>&amp;</b>'])
    catalog.set('shop:web', { status: 'starting', reason: 'runs "npm run dev" <script>alert(1)</script>' })
    const page = await get(port, 'shop.localhost', '/x?y', { headers: navigation })
    t.equal(page.status, 503)
    t.equal(page.header('x-locald'), 'starting')
    t.equal(page.header('retry-after'), '1')
    t.equal(page.header('cache-control'), 'no-store')
    t.match(page.body, 'compiling &#60;b&#62;&#38;amp;&#60;/b&#62;')
    t.match(page.body, 'runs &#34;npm run dev&#34; &#60;script&#62;')
    t.match(page.header('content-security-policy'), /script-src 'sha256-[^']+'; connect-src 'self'/)
    const old = await get(port, 'shop.localhost', '/', { headers: { accept: 'text/html,*/*' } })
    t.match(old.body, /<!doctype html>/, 'an old browser, without Sec-Fetch-Mode')
    const head = get(port, 'shop.localhost', '/', { headers: navigation, method: 'HEAD' })
    const data = get(port, 'shop.localhost', '/', { headers: { accept: 'application/json, text/html' } })
    const news = await get(port, 'shop.localhost', '/x?y', { headers: { 'x-locald-progress': '1' } })
    t.equal(news.status, 202)
    t.strictSame(JSON.parse(news.body), {
      reason: 'runs "npm run dev" <script>alert(1)</script>',
      lines: ['compiling <b>&amp;</b>'],
    })
    const service = await serve(t, (_req, res) => res.end('up'))
    catalog.set('shop:web', at(service.port))
    t.equal((await get(port, 'shop.localhost', '/x?y', { headers: { 'x-locald-progress': '1' } })).status, 204)
    t.equal((await head).status, 200, 'others were held meanwhile')
    t.equal((await data).body, 'up')
    catalog.set('shop:web', { status: 'starting' })
    const soon = get(port, 'shop.localhost', '/', { headers: navigation })
    await eventually(() => catalog.waiting === 1, 'it is held')
    catalog.set('shop:web', at(service.port))
    t.equal((await soon).body, 'up', 'one that is ready in time shows no progress')
  })
})

t.test('pages', async t => {
  const { port, catalog } = await boot(t)
  const canary = '<script>alert("x")</script>\'&'
  const html = { accept: 'text/html' }
  catalog.project('shop')
  const service = await serve(t, (_req, res) => res.end('up'))

  await t.test('of a service that does not run', async t => {
    catalog.tails.set('shop:web', [...Array.from({ length: 30 }, (_, i) => `line ${i}`), canary])
    const cases = [
      { status: 'stopped', code: 503, what: 'stopped', error: 'SERVICE_NOT_RUNNING', text: /shop:web is stopped/ },
      { status: 'stopping', code: 503, what: 'stopped', error: 'SERVICE_NOT_RUNNING', text: /shop:web is stopping/ },
      { status: 'failed', code: 503, what: 'failed', error: 'SERVICE_FAILED', text: /shop:web failed/ },
      { status: 'exited', code: 503, what: 'failed', error: 'SERVICE_FAILED', text: /shop:web exited/ },
    ] as const
    for (const { status, code, what, error, text } of cases) {
      catalog.set('shop:web', { status, reason: canary })
      const page = await get(port, 'shop.localhost', '/', { headers: html })
      t.equal(page.status, code, status)
      t.equal(page.header('x-locald'), what)
      t.equal(page.header('cache-control'), 'no-store')
      t.equal(page.header('content-type'), 'text/html; charset=utf-8')
      t.match(page.header('content-security-policy'), /^default-src 'none'; style-src 'sha256-/)
      t.match(page.body, text)
      t.match(page.body, '&#60;script&#62;alert(&#34;x&#34;)&#60;/script&#62;&#39;&#38;')
      t.notMatch(page.body, '<script>alert')
      t.match(page.body, '<body data-awaits="start">')
      t.match(page.header('content-security-policy'), /script-src 'sha256-[^']+'; connect-src 'self'$/)
      const json = await get(port, 'shop.localhost')
      t.equal(json.status, code)
      t.equal(json.header('content-type'), 'application/json')
      t.match(JSON.parse(json.body).error.code, error)
      t.match(JSON.parse(json.body).error.hint, /locald (up|logs)/)
      const head = await get(port, 'shop.localhost', '/', { method: 'HEAD', headers: html })
      t.equal(head.status, code)
      t.equal(head.header('content-length'), String(Buffer.byteLength(Buffer.from(page.body, 'latin1'))))
      const post = await get(port, 'shop.localhost', '/', { method: 'POST', body: 'x'.repeat(1_000_000) })
      t.equal(post.status, code)
      if (what !== 'failed') t.match(page.body, '<code>locald up web</code>')
      else {
        t.match(page.body, /line 29\n/)
        t.notMatch(page.body, /line 9\n/, 'the last 20 lines only')
      }
    }
  })

  await t.test('reload themselves when the service is started, or can be reached', async t => {
    const { port, catalog } = await boot(t, { limits: { poll: 20, longPoll: 40, reconnect: 20, grace: 20 } })
    const page = async (options = {}) => {
      const got = await get(port, 'shop.localhost', '/', { headers: html, ...options })
      return { got, awaits: /data-awaits="([^"]*)"/.exec(got.body)?.[1] ?? '' }
    }
    const news = async (awaits: string) =>
      (await get(port, 'shop.localhost', '/', { headers: { 'x-locald-progress': awaits } })).status
    const reason = 'port 1 of shop:web is in use (Stop it, or give the service another `port`)'
    catalog.set('shop:web', { status: 'failed', reason })
    const { got } = await page()
    t.match(got.body, '<h1>shop:web failed</h1>')
    t.match(got.body, 'another <code>port</code>)')
    t.match(got.body, '<title>shop:web failed</title>')
    t.equal((await page({ method: 'POST' })).awaits, '', 'not one that answers a POST')
    t.equal(await news('start'), 202)
    const later = news('start')
    await eventually(() => catalog.listeners.size > 1, 'it waits for news')
    catalog.set('shop:web', { status: 'starting' })
    t.equal(await later, 204, 'at once, when it is started')

    const fault = { message: 'web listens on port 4000, not on $PORT (26066)', hint: 'Set `port = 4000` for it.' }
    catalog.faults.set('shop:web', fault)
    catalog.set('shop:web', { status: 'starting', fault, ...at(await unused()) })
    catalog.set('shop:web', { status: 'starting' })
    t.equal(await news('ready'), 204, 'the progress page makes way')
    const started = performance.now()
    const wrong = await page({ headers: navigation })
    t.match([wrong.got.status, wrong.got.header('x-locald'), wrong.awaits], [502, 'unreachable', 'fault'])
    t.match(wrong.got.body, 'web listens on port 4000, not on $PORT (26066)</h1>')
    t.match(wrong.got.body, 'Set <code>port = 4000</code> for it.')
    t.ok(performance.now() - started < 2_000, 'at once')
    t.match(JSON.parse((await get(port, 'shop.localhost')).body).error, fault, 'and to who waits for data')
    t.equal(await news('fault'), 202)
    catalog.set('shop:web', { status: 'running' })
    t.equal((await page()).awaits, 'fault')
    const examined = catalog.examined
    t.equal((await get(port, 'shop.localhost')).status, 502)
    t.ok(catalog.examined > examined, 'it is looked again whether it can be reached by now')
    catalog.faults.clear()
    const real = await serve(t, (_, res) => res.end('up'))
    catalog.set('shop:web', at(real.port))
    t.equal((await get(port, 'shop.localhost')).body, 'up')
    t.equal(await news('fault'), 204)

    catalog.set('shop:web', at(await unused()))
    const refused = await page()
    t.match([refused.got.status, refused.awaits], [502, 'open'])
    t.equal(await news('open'), 202)
    catalog.set('shop:web', at(real.port))
    t.equal(await news('open'), 204)

    const broken = await raw(t, socket => socket.on('data', () => socket.destroy()))
    catalog.set('shop:web', at(broken.port))
    const { awaits } = await page()
    t.match(awaits, /^run \d+$/)
    t.equal(await news(awaits), 202)
    catalog.set('shop:web', { status: 'restarting', restarts: 1 })
    catalog.set('shop:web', at(broken.port))
    t.equal(await news(awaits), 202, 'not when it was only restarted after a crash')
    catalog.set('shop:web', { status: 'waiting', restarts: 0 })
    t.equal(await news(awaits), 204, 'but when somebody has started it')
  })

  await t.test('of an unknown host', async t => {
    catalog.set('shop:web', { ...at(service.port), reason: canary })
    catalog.set('shop:old', { status: 'stopped' })
    const page = await get(port, 'shpo.localhost', `/${encodeURI(canary)}`, { headers: html })
    t.equal(page.status, 404)
    t.equal(page.header('x-locald'), 'unknown-host')
    t.match(page.body, 'Did you mean shop.localhost?')
    t.match(page.body, `href="http://shop.localhost:${port}/"`)
    t.notMatch(page.body, 'shop:old', 'what is running')
    t.notMatch(page.body, '<script')
    const far = await get(port, 'something-else.localhost', '/', { headers: html })
    t.notMatch(far.body, 'Did you mean')
    t.match(far.body, 'shop:web')
    const stranger = await get(port, 'shop.localhost.evil.example', '/', { headers: html })
    t.equal(stranger.status, 404)
    t.notMatch(stranger.body, 'shop:web', 'a name of someone’s own, pointed here, is told nothing')
    t.match(JSON.parse((await get(port, 'shpo.localhost')).body).error, {
      code: 'UNKNOWN_SERVICE',
      hint: 'Did you mean shop.localhost?',
    })
  })

  await t.test('the list of services', async t => {
    catalog.set('shop:bad', { status: 'failed', reason: canary, hosts: [`a"b${canary}`], health: null })
    for (const host of ['localhost', `localhost:${port}`, '127.0.0.1', `[::1]:${port}`, 'LOCALD.localhost.']) {
      const page = await get(port, host, '/', { headers: html })
      t.equal(page.status, 200, host)
      t.equal(page.header('x-locald'), 'index')
      t.match(page.body, 'shop:web')
      t.match(page.body, 'running, healthy')
      t.match(page.body, `href="http://web.shop.localhost:${port}/"`)
      t.match(page.body, '/home/me/shop')
      t.notMatch(page.body, '<script')
      t.notMatch(page.body, /href="[^"]*[<>'][^"]*"/)
    }
    const { services } = JSON.parse((await get(port, 'localhost')).body)
    t.match(services[0], {
      key: 'shop:web',
      status: 'running',
      urls: [`http://shop.localhost:${port}`, `http://web.shop.localhost:${port}`],
    })
    t.equal((await get(port, 'localhost', '/', { method: 'HEAD' })).body, '')
    t.equal((await get(port, 'localhost', '/', { method: 'POST' })).status, 405)
    t.equal((await get(port, 'localhost', '/v1/services')).status, 404)
    t.equal((await get(port, 'locald.localhost', '/x')).status, 404)
    t.equal((await get(port, 'x.locald.localhost')).status, 404)
  })

  await t.test('every answer of the proxy’s own says so and is never stored', async t => {
    for (const [host, path] of [
      ['nobody.localhost', '/'],
      ['localhost', '/'],
      ['localhost', '/v1'],
      ['old.shop.localhost', '/'],
    ] as const) {
      const got = await get(port, host, path)
      t.ok(got.header('x-locald'), host)
      t.equal(got.header('cache-control'), 'no-store')
      t.equal(got.header('x-content-type-options'), 'nosniff')
    }
    t.notOk((await get(port, 'shop.localhost')).header('x-locald'))
  })
})
