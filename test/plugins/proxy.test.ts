import { spawn } from 'node:child_process'
import { once } from 'node:events'
import http, { type IncomingMessage, type RequestListener } from 'node:http'
import http2, { type IncomingHttpHeaders } from 'node:http2'
import net, { type Socket } from 'node:net'
import { connect as tlsConnect } from 'node:tls'
import t from 'tap'
import { AsyncSeriesHook } from 'tapable'
import { WebSocket, WebSocketServer } from 'ws'
import type { Check } from '../../kernel/plugin.ts'
import proxyPlugin from '../../plugins/proxy/index.ts'
import {
  at,
  boot,
  deadline,
  eventually,
  type Got,
  gate,
  get,
  listening,
  openFiles,
  type Running,
  raw,
  scripted,
  serve,
  textOf,
  unused,
  Wire,
  wire,
} from './proxy-harness.ts'

t.test('what it is', async t => {
  t.equal(proxyPlugin.name, 'proxy')
  t.equal(proxyPlugin.api, 1)
})

t.test('routing', async t => {
  const { port, catalog } = await boot(t)
  const name =
    (text: string): RequestListener =>
    (req, res) =>
      res.end(`${text} ${req.url} ${req.headers['x-forwarded-prefix'] ?? ''}`)
  const [web, api, old, blog] = await Promise.all(['web', 'api', 'old', 'blog'].map(text => serve(t, name(text))))
  catalog.project('shop', [
    { prefix: '/api', service: 'api', stripPrefix: false },
    { prefix: '/api/v0/', service: 'old', stripPrefix: true },
    { prefix: '/old', service: 'old', stripPrefix: true },
    { prefix: '/gone', service: 'gone', stripPrefix: false },
  ])
  catalog.project('blog', [], 'my.blog.test')
  catalog.set('shop:web', at(web?.port ?? 0))
  catalog.set('shop:api', at(api?.port ?? 0))
  catalog.set('shop:old', at(old?.port ?? 0))
  catalog.set('shop:queue', { hosts: [] })
  catalog.set('blog:site', { ...at(blog?.port ?? 0), hosts: ['my.blog.test'] })
  const cases: [host: string, path: string, body: string][] = [
    ['shop.localhost', '/x?y=1', 'web /x?y=1 '],
    ['SHOP.LocalHost:1234', '/', 'web / '],
    ['shop.localhost.', '/', 'web / '],
    ['shop.localhost.:80', '/', 'web / '],
    ['web.shop.localhost', '/api', 'web /api '],
    ['shop.localhost', '/api', 'api /api '],
    ['shop.localhost', '/api/', 'api /api/ '],
    ['shop.localhost', '/api/x?/apix', 'api /api/x?/apix '],
    ['shop.localhost', '/api?q', 'api /api?q '],
    ['shop.localhost', '/apix', 'web /apix '],
    ['shop.localhost', '/API', 'web /API '],
    ['shop.localhost', '/api/v0', 'old / /api/v0'],
    ['shop.localhost', '/api/v0/a', 'old /a /api/v0'],
    ['shop.localhost', '/api/v00', 'api /api/v00 '],
    ['shop.localhost', '/old', 'old / /old'],
    ['shop.localhost', '/old?a=b', 'old /?a=b /old'],
    ['shop.localhost', '/old/', 'old / /old'],
    ['shop.localhost', '/old/x/y?z', 'old /x/y?z /old'],
    ['api.shop.localhost', '/old', 'api /old '],
    ['tenant.web.shop.localhost', '/api', 'web /api '],
    ['a.b.api.shop.localhost', '/', 'api / '],
    ['tenant.shop.localhost', '/', 'web / '],
    ['queue.shop.localhost', '/', 'web / '],
    ['my.blog.test', '/', 'blog / '],
    ['x.my.blog.test', '/', 'blog / '],
  ]
  for (const [host, path, body] of cases) {
    const got = await get(port, host, path)
    t.equal(got.body, body, `${host}${path}`)
  }

  await t.test('an absolute target outranks the Host header', async t => {
    const text = await wire(t, port)
      .send('GET http://api.shop.localhost:9/p?q HTTP/1.1\r\nHost: shop.localhost\r\nConnection: close\r\n\r\n')
      .end()
    t.match(text, /api \/p\?q/)
  })

  await t.test('a route to a service that was never started', async t => {
    const got = await get(port, 'shop.localhost', '/gone/x')
    t.equal(got.status, 503)
    t.match(got.body, /shop:gone, which was not started/)
    catalog.project('empty')
    const nobody = await get(port, 'empty.localhost', '/')
    t.equal(nobody.status, 404)
    t.match(nobody.body, /No service of empty owns empty.localhost/)
  })

  await t.test('changes are seen at once, without a scan for each request', async t => {
    const scans = catalog.scans
    for (let i = 0; i < 20; i++) await get(port, 'shop.localhost')
    t.equal(catalog.scans, scans, 'no scan while nothing changes')
    catalog.emit({ event: 'step', key: 'shop:web', text: 'x' })
    await get(port, 'shop.localhost')
    t.equal(catalog.scans, scans, 'a step is no change')
    catalog.set('shop:web', at(api?.port ?? 0))
    t.match((await get(port, 'shop.localhost')).body, /^api/)
    t.equal(catalog.scans, scans + 1)
    catalog.remove('shop:api')
    t.match((await get(port, 'shop.localhost', '/api')).body, /not started/)
  })

  await t.test('a Host that is none', async t => {
    const heads = [
      'GET / HTTP/1.1\r\n\r\n',
      'GET / HTTP/1.0\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: \r\n\r\n',
      'GET / HTTP/1.1\r\nHost: a b\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: shop.localhost/\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: a..localhost\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: shop.localhost:99999\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: me@shop.localhost\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: shöp.localhost\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: shop.localhost\r\nHost: api.shop.localhost\r\n\r\n',
      'GET shop.localhost HTTP/1.1\r\nHost: shop.localhost\r\n\r\n',
      'GET * HTTP/1.1\r\nHost: shop.localhost\r\n\r\n',
    ]
    for (const head of heads) {
      const text = await wire(t, port).send(head).end()
      t.match(text, /^HTTP\/1.1 400 .*X-Locald: bad-request/s, head)
    }
  })
})

t.test('headers', async t => {
  const { port, catalog } = await boot(t)

  await t.test('of the request', async t => {
    const service = await scripted(t, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    catalog.set('shop:web', at(service.port))
    const head = [
      'GET /a%zz/../b|"^?q=%20#x HTTP/1.1',
      'hOsT: shop.localhost:8080',
      'X-B: 1',
      'x-a: caf\u00e9',
      'X-B: 2',
      'Cookie: a=b; c=d',
      'Cookie: e=f',
      'Connection: close, X-Secret , Host',
      'X-Secret: hop',
      'Keep-Alive: timeout=3',
      'Proxy-Authorization: Basic eDp5',
      'Proxy-Connection: keep-alive',
      'TE: trailers, deflate;q=0.5',
      'Trailer: X-T',
      'Upgrade-Insecure-Requests: 1',
      'X-Forwarded-For: 6.6.6.6',
      'x-forwarded-proto: https',
      'X-Forwarded-Host: evil',
      'X-Forwarded-Prefix: /evil',
      'X-Forwarded-Anything: evil',
      'Forwarded: for=6.6.6.6',
      'X-Locald-Hops: 2',
      'X-Empty:',
    ]
    await wire(t, port)
      .send(`${head.join('\r\n')}\r\n\r\n`)
      .end()
    const [first, ...lines] = (service.seen[0] ?? '').split('\r\n')
    t.equal(first, 'GET /a%zz/../b|"^?q=%20#x HTTP/1.1', 'the path as it was')
    t.strictSame(lines, [
      'hOsT: shop.localhost:8080',
      'X-B: 1',
      'x-a: caf\u00e9',
      'X-B: 2',
      'Cookie: a=b; c=d',
      'Cookie: e=f',
      'Upgrade-Insecure-Requests: 1',
      'X-Empty: ',
      'TE: trailers',
      'Connection: keep-alive, TE',
      'X-Forwarded-For: 127.0.0.1',
      'X-Forwarded-Proto: http',
      'X-Forwarded-Host: shop.localhost:8080',
      `X-Forwarded-Port: ${port}`,
      'Forwarded: for=127.0.0.1;host="shop.localhost:8080";proto=http',
      'X-Locald-Hops: 3',
      '',
      '',
    ])
  })

  await t.test('over ::1', async t => {
    const service = await scripted(t, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    catalog.set('shop:web', at(service.port))
    const client = new Wire(port, '::1')
    t.teardown(() => client.socket.destroy())
    await client.send('GET / HTTP/1.1\r\nHost: shop.localhost\r\nConnection: close\r\n\r\n').end()
    t.match(service.seen[0], 'X-Forwarded-For: ::1\r\n')
    t.match(service.seen[0], 'Forwarded: for="[::1]";host="shop.localhost";proto=http\r\n')
  })

  await t.test('of the response', async t => {
    const lines = [
      'HTTP/1.1 299 Quite fine',
      'set-Cookie: a=1',
      'Set-Cookie: b=2; Expires=Wed, 21 Oct 2015 07:28:00 GMT',
      'Set-Cookie: c=3',
      'X-Latin: caf\u00e9',
      'Date: Thu, 01 Jan 1970 00:00:00 GMT',
      'Connection: close, x-hop',
      'X-Hop: 1',
      'Keep-Alive: timeout=1',
      'Proxy-Authenticate: Basic',
      'Upgrade: foo',
      'Trailer: X-T',
      'Content-Length: 2',
    ]
    const service = await scripted(t, `${lines.join('\r\n')}\r\n\r\nok`)
    catalog.set('shop:web', at(service.port))
    const text = await wire(t, port).send('GET / HTTP/1.1\r\nHost: shop.localhost\r\nConnection: close\r\n\r\n').end()
    t.strictSame(text.split('\r\n'), [
      'HTTP/1.1 299 Quite fine',
      'set-Cookie: a=1',
      'Set-Cookie: b=2; Expires=Wed, 21 Oct 2015 07:28:00 GMT',
      'Set-Cookie: c=3',
      'X-Latin: caf\u00e9',
      'Date: Thu, 01 Jan 1970 00:00:00 GMT',
      'Content-Length: 2',
      'Connection: close',
      '',
      'ok',
    ])
  })
})

t.test('framing', async t => {
  const { port, catalog } = await boot(t)
  const ask = (head: string): string => `${head}\r\nHost: shop.localhost\r\n`

  await t.test('responses without a body leave the connection usable', async t => {
    const service = await serve(t, (req, res) => {
      if (req.url === '/204') res.writeHead(204, { 'Content-Length': '0', 'X-Is': '204' }).end()
      else if (req.url === '/304') res.writeHead(304, { 'Content-Length': '5', ETag: 'x' }).end()
      else if (req.url === '/chunked') res.end(req.method === 'HEAD' ? '' : 'text')
      else res.writeHead(200, { 'Content-Length': '4' }).end('text')
    })
    catalog.set('shop:web', at(service.port))
    const client = wire(t, port)
    for (const [head, expected] of [
      ['HEAD / HTTP/1.1', /200 OK\r\nContent-Length: 4\r\n/],
      ['HEAD /chunked HTTP/1.1', /200 OK\r\n/],
      ['GET /204 HTTP/1.1', /204 No Content\r\nX-Is: 204\r\n/],
      ['GET /304 HTTP/1.1', /304 Not Modified\r\nContent-Length: 5\r\n/],
    ] as const) {
      client.text = ''
      client.send(`${ask(head)}\r\n`)
      t.match(await client.has('\r\n\r\n'), expected, head)
      t.notMatch(client.text, /\r\n\r\n./s, 'no body')
    }
    client.text = ''
    client.send(`${ask('GET / HTTP/1.1')}\r\n`)
    t.match(await client.has('\r\n\r\ntext'), /200 OK/)
  })

  await t.test('a body that ends with the connection', async t => {
    const service = await scripted(t, 'HTTP/1.0 200 OK\r\n\r\nall of it')
    catalog.set('shop:web', at(service.port))
    const chunked = await wire(t, port)
      .send(`${ask('GET / HTTP/1.1')}Connection: close\r\n\r\n`)
      .end()
    t.match(chunked, /Transfer-Encoding: chunked\r\n\r\n9\r\nall of it\r\n0\r\n\r\n$/s)
    const old = await wire(t, port)
      .send(`${ask('GET / HTTP/1.0')}\r\n`)
      .end()
    t.match(old, /\r\n\r\nall of it$/)
    t.notMatch(old, /chunked/)
  })

  await t.test('trailers both ways', async t => {
    let seen: string[] = []
    const service = await serve(t, (req, res) => {
      req.resume().on('end', () => {
        seen = req.rawTrailers
        res.writeHead(200, { Trailer: 'X-Sum', 'Transfer-Encoding': 'chunked' })
        res.write('body')
        res.addTrailers({ 'X-Sum': 'abc', 'X-Other': 'd' })
        res.end()
      })
    })
    catalog.set('shop:web', at(service.port))
    const head = `${ask('POST / HTTP/1.1')}Transfer-Encoding: chunked\r\nTrailer: X-Digest\r\nTE: trailers\r\nConnection: close\r\n\r\n`
    const text = await wire(t, port).send(`${head}3\r\nabc\r\n0\r\nX-Digest: 1\r\nHost: evil\r\nX-D: 2\r\n\r\n`).end()
    t.strictSame(seen, ['X-Digest', '1', 'X-D', '2'], 'but not what would frame the message')
    t.match(text, /Trailer: X-Sum\r\n/)
    t.match(text, /4\r\nbody\r\n0\r\nX-Sum: abc\r\nX-Other: d\r\n\r\n$/)
    const old = await wire(t, port)
      .send(`${ask('POST / HTTP/1.0')}Content-Length: 0\r\n\r\n`)
      .end()
    t.match(old, /\r\n\r\nbody$/)
    t.notMatch(old, /Trailer|X-Sum/)
  })

  await t.test('requests', async t => {
    const service = await serve(t, async (req, res) => {
      const body = await textOf(req)
      const { 'content-length': length, 'transfer-encoding': coding } = req.headers
      res.end(`${req.method} ${length ?? '-'} ${coding ?? '-'} [${body}]`)
    })
    catalog.set('shop:web', at(service.port))
    const cases: [string, string][] = [
      ['GET / HTTP/1.1\r\n\r\n', 'GET - - []'],
      ['DELETE / HTTP/1.1\r\n\r\n', 'DELETE - - []'],
      ['POST / HTTP/1.1\r\n\r\n', 'POST 0 - []'],
      ['POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc', 'POST 3 - [abc]'],
      ['DELETE / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc', 'DELETE 3 - [abc]'],
      ['POST / HTTP/1.1\r\nContent-Length: 3\r\nConnection: content-length\r\n\r\nabc', 'POST 3 - [abc]'],
      ['GET / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n', 'GET - chunked [abc]'],
      [
        'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;x=y\r\na\r\n2\r\nbc\r\n0\r\n\r\n',
        'POST - chunked [abc]',
      ],
      ['OPTIONS * HTTP/1.1\r\n\r\n', 'OPTIONS - - []'],
      ['PROPFIND /x HTTP/1.1\r\n\r\n', 'PROPFIND 0 - []'],
      ['TRACE / HTTP/1.1\r\n\r\n', 'TRACE - - []'],
    ]
    for (const [text, expected] of cases) {
      const client = wire(t, port)
      client.send(text.replace('\r\n', '\r\nHost: shop.localhost\r\n'))
      t.match(await client.has(']'), expected, text)
      client.socket.destroy()
    }
  })

  await t.test('pipelined requests are answered in order', async t => {
    const first = gate()
    const service = await serve(t, async (req, res) => {
      if (req.url === '/1') await first.promise
      res.end(`<${req.url}>`)
      if (req.url === '/2') first.open()
    })
    catalog.set('shop:web', at(service.port))
    const client = wire(t, port)
    client.send(
      `${ask('GET /1 HTTP/1.1')}\r\n${ask('GET /2 HTTP/1.1')}\r\n${ask('GET /3 HTTP/1.1')}Connection: close\r\n\r\n`,
    )
    t.match(await client.end(), /<\/1>.*<\/2>.*<\/3>/s)
  })

  await t.test('interim responses', async t => {
    const service = await raw(t, socket => {
      socket.once('data', () => {
        socket.write(
          'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nX-Any: caf\xe9\r\nConnection: x\r\n\r\n',
          'latin1',
        )
        socket.write('HTTP/1.1 103 Early Hints\r\nLink: </b.js>\r\n\r\n')
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      })
    })
    catalog.set('shop:web', at(service.port))
    const text = await wire(t, port)
      .send(`${ask('GET / HTTP/1.1')}Connection: close\r\n\r\n`)
      .end()
    t.match(
      text,
      /^HTTP\/1.1 103 Early Hints\r\nLink: <\/a.css>; rel=preload\r\nX-Any: caf\xe9\r\n\r\nHTTP\/1.1 103 Early Hints\r\nLink: <\/b.js>\r\n\r\nHTTP\/1.1 200 OK/,
    )
    const old = await wire(t, port)
      .send(`${ask('GET / HTTP/1.0')}\r\n`)
      .end()
    t.match(old, /^HTTP\/1.1 200 OK/, 'none for HTTP/1.0')
  })

  await t.test('Expect: 100-continue', async t => {
    const service = http.createServer()
    service.on('checkContinue', async (req, res) => {
      if (req.url === '/no') return void res.writeHead(417).end()
      res.writeContinue()
      res.end(`[${await textOf(req)}]`)
    })
    const { port: to } = await listening(t, service)
    catalog.set('shop:web', at(to))
    const head = (path: string): string =>
      `${ask(`POST ${path} HTTP/1.1`)}Expect: 100-continue\r\nContent-Length: 4\r\n\r\n`
    const client = wire(t, port).send(head('/yes'))
    await client.has('HTTP/1.1 100 Continue\r\n\r\n')
    client.send('body')
    t.match(await client.has('[body]'), /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK/)
    client.text = ''
    client.send(head('/no'))
    t.match(await client.end(), /^HTTP\/1.1 417 .*Connection: close\r\n/s, 'and nobody waits for the body')
    t.match(
      await wire(t, port)
        .send(`${ask('GET / HTTP/1.1')}Expect: tea\r\n\r\n`)
        .end(),
      /^HTTP\/1.1 417/,
    )
    const nobody = await wire(t, port)
      .send('POST / HTTP/1.1\r\nHost: x.localhost\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n')
      .end()
    t.match(nobody, /^HTTP\/1.1 404 .*Connection: close\r\n/s)
  })
})

t.test('streams', async t => {
  const { port, catalog } = await boot(t)

  await t.test('both directions at once', async t => {
    const service = await serve(t, (req, res) => {
      res.flushHeaders()
      req.pipe(res)
    })
    catalog.set('shop:web', at(service.port))
    const client = wire(t, port).send('POST / HTTP/1.1\r\nHost: shop.localhost\r\nTransfer-Encoding: chunked\r\n\r\n')
    await client.has('\r\n\r\n')
    for (const word of ['one', 'two', 'six']) {
      client.send(`3\r\n${word}\r\n`)
      await client.has(word)
    }
    client.send('0\r\n\r\n')
    await client.has('\r\n0\r\n\r\n')
    t.notOk(client.ended, 'and the connection stays')
  })

  await t.test('server-sent events arrive as they are sent', async t => {
    const streams: http.ServerResponse[] = []
    const service = await serve(t, (_req, res) => {
      res.writeHead(200, { 'Content-Type': 'text/event-stream', 'X-Latin': 'caf\u00e9' })
      res.flushHeaders()
      streams.push(res)
    })
    catalog.set('shop:web', at(service.port))
    const client = wire(t, port).send('GET / HTTP/1.1\r\nHost: shop.localhost\r\n\r\n')
    t.match(await client.has('\r\n\r\n'), 'Content-Type: text/event-stream', 'the head before the first event')
    for (const event of ['data: 1\n\n', 'data: 2\n\n']) {
      streams[0]?.write(event)
      await client.has(event)
    }
    client.socket.destroy()
    if (streams[0]?.destroyed === false) await once(streams[0], 'close')
    t.pass('the service learns at once that the client has left')
  })

  await t.test('a client that leaves', async t => {
    for (const when of ['before the response', 'during the response', 'during the upload'] as const) {
      const arrived = gate()
      const left = gate()
      const service = await serve(t, (req, res) => {
        req.resume()
        req.on('error', () => undefined)
        res.on('close', () => left.open())
        if (when === 'during the response') res.write('x')
        arrived.open()
      })
      catalog.set('shop:web', at(service.port))
      const client = wire(t, port)
      if (when === 'during the upload')
        client.send('POST / HTTP/1.1\r\nHost: shop.localhost\r\nContent-Length: 1000\r\n\r\nabc')
      else client.send('GET / HTTP/1.1\r\nHost: shop.localhost\r\n\r\n')
      await arrived.promise
      if (when === 'during the response') await client.has('x')
      client.socket.destroy()
      await left.promise
      t.pass(when)
    }
  })

  await t.test('a service that breaks off is never taken for one that ended', async t => {
    const answers: [headers: string, body: string, end: string | undefined][] = [
      ['Content-Length: 100\r\n', 'part', undefined],
      ['Transfer-Encoding: chunked\r\n', '4\r\npart\r\n', undefined],
      ['Transfer-Encoding: chunked\r\n', '4\r\npart\r\n', 'nonsense\r\n'],
    ]
    for (const [headers, body, end] of answers) {
      const sockets: Socket[] = []
      const service = await raw(t, socket => {
        sockets.push(socket)
        socket.once('data', () => socket.write(`HTTP/1.1 200 OK\r\n${headers}\r\n${body}`))
      })
      catalog.set('shop:web', at(service.port))
      for (const version of ['1.1', '1.0']) {
        const client = wire(t, port).send(`GET / HTTP/${version}\r\nHost: shop.localhost\r\n\r\n`)
        await client.has('part')
        if (end === undefined) sockets.at(-1)?.end()
        else sockets.at(-1)?.write(end)
        await client.end()
        t.notMatch(client.text, '\r\n0\r\n', headers)
        if (version === '1.0') t.ok(client.error, 'where the end of the connection is the end of the body, it is reset')
      }
    }
  })

  await t.test('an early answer ends the upload and keeps the connection', async t => {
    const service = await serve(t, (req, res) => {
      if (req.method === 'POST') res.writeHead(413).end('too much')
      else res.end('next')
    })
    catalog.set('shop:web', at(service.port))
    const client = wire(t, port).send('POST / HTTP/1.1\r\nHost: shop.localhost\r\nContent-Length: 2000000\r\n\r\n')
    await client.has('too much')
    client.send('x'.repeat(2_000_000))
    client.send('GET / HTTP/1.1\r\nHost: shop.localhost\r\n\r\n')
    await client.has('next')
    t.pass()
  })

  await t.test('slow readers hold back the writer, not the memory', async t => {
    const size = 384 * 2 ** 20
    const chunk = Buffer.alloc(2 ** 16, 'x')
    let sent = 0
    let received = 0
    const pour = (to: NodeJS.WritableStream): void => {
      while (sent < size) {
        sent += chunk.length
        if (!to.write(chunk)) return void to.once('drain', () => pour(to))
      }
      to.end()
    }
    const service = await serve(t, (req, res) => {
      if (req.method === 'GET') return pour(res)
      sip(req).then(() => res.end('all'))
    })
    const sip = async (from: NodeJS.ReadableStream): Promise<{ ahead: number; rss: number }> => {
      const before = process.memoryUsage.rss()
      let ahead = 0
      let rss = 0
      received = 0
      for await (const data of from) {
        received += data.length
        ahead = Math.max(ahead, sent - received)
        if (received % 2 ** 20 < 2 ** 14) await new Promise(resolve => setImmediate(resolve))
        rss = Math.max(rss, process.memoryUsage.rss() - before)
      }
      return { ahead, rss }
    }
    catalog.set('shop:web', at(service.port))
    const down = http.get({ host: '127.0.0.1', port, agent: false, headers: { host: 'shop.localhost' } })
    const [res]: IncomingMessage[] = await once(down, 'response')
    if (res === undefined) throw new Error('no response')
    const worst = await sip(res)
    t.equal(received, size)
    t.ok(worst.ahead < 24 * 2 ** 20, `the service was ${worst.ahead} bytes ahead`)
    t.ok(worst.rss < size / 2, `memory grew by ${worst.rss}`)
    sent = 0
    const up = http.request({
      host: '127.0.0.1',
      port,
      method: 'POST',
      agent: false,
      headers: { host: 'shop.localhost' },
    })
    pour(up)
    const [done]: IncomingMessage[] = await once(up, 'response')
    t.equal(done && (await textOf(done)), 'all')
    t.equal(received, size)
  })
})

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
        message: 'shop:web closed the connection without an answer',
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
        setTimeout(() => catalog.set('shop:web', at(service.port)), 50)
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

  await t.test('nobody listens', async t => {
    const { port, catalog } = await boot(t, { limits: { reopening: 100 } })
    const closed = await unused()
    catalog.set('shop:web', at(closed))
    const got = await get(port, 'shop.localhost')
    t.equal(got.status, 502)
    t.equal(got.header('x-locald'), 'refused')
    t.match(JSON.parse(got.body).error.message, `nothing listens on 127.0.0.1:${closed}`)
    catalog.set('shop:web', { port: null, upstream: null })
    t.match((await get(port, 'shop.localhost')).body, /listens on no port/)
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

  await t.test('answers that are none', async t => {
    const cases: [answer: string, message: RegExp][] = [
      ['SSH-2.0-OpenSSH\r\n', /not in HTTP/],
      ['', /without an answer/],
      [`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`, /head that is too large/],
      ['HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n', /transfer coding/],
      ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n', /not in HTTP/],
      ['HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab', /not in HTTP/],
      ['HTTP/1.1 200 O\x01K\r\nContent-Length: 0\r\n\r\n', /cannot be passed on/],
      ['HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n', /not in HTTP/],
      ['HTTP/1.1 099 Low\r\nContent-Length: 0\r\n\r\n', /cannot be passed on|without an answer|not in HTTP/],
      ['HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n', /switched protocols/],
      ['HTTP/1.1 101 Switching Protocols\r\n\r\n', /switched protocols|without an answer|not in HTTP/],
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

t.test('hostile clients', async t => {
  const { port, catalog, log } = await boot(t, { limits: { headTimeout: 300 } })
  const bodies: string[] = []
  const service = await serve(t, async (req, res) => {
    bodies.push(
      await textOf(req).then(
        text => `${req.method} ${req.url} [${text}]`,
        () => 'cut',
      ),
    )
    res.end('fine')
  })
  catalog.set('shop:web', at(service.port))
  const post = 'POST / HTTP/1.1\r\nHost: shop.localhost\r\n'

  await t.test('heads that two parsers could read in two ways', async t => {
    const cases: [string, number][] = [
      [`${post}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
      [`${post}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n`, 400],
      [`${post}Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde`, 400],
      [`${post}Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd`, 400],
      [`${post}Content-Length: +4\r\n\r\nabcd`, 400],
      [`${post}Content-Length: 4, 4\r\n\r\nabcd`, 400],
      [`${post}Content-Length : 4\r\n\r\nabcd`, 400],
      [`${post}Transfer-Encoding: identity\r\n\r\n`, 501],
      [`${post}Transfer-Encoding: chunked, identity\r\n\r\n`, 400],
      [`${post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`, 501],
      [`${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n`, 400],
      [`${post}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`, 501],
      [`${post}Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n`, 400],
      [`${post}X: a\r\n b\r\n\r\n`, 400],
      [`${post}X: a\nY: b\r\n\r\n`, 400],
      [`${post}X: a\x00b\r\n\r\n`, 400],
      [`${post}: empty\r\n\r\n`, 400],
      ['POST / HTTP/1.0\r\nHost: shop.localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400],
      ['GET / HTTP/3.0\r\nHost: shop.localhost\r\n\r\n', 400],
      ['GET /a b HTTP/1.1\r\nHost: shop.localhost\r\n\r\n', 400],
      ['nonsense\r\n\r\n', 400],
      ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
    ]
    for (const [text, status] of cases) {
      const client = wire(t, port).send(text).send('GET /smuggled HTTP/1.1\r\nHost: shop.localhost\r\n\r\n')
      const answer = await client.end()
      t.match(answer, new RegExp(`^HTTP/1.1 ${status} .*X-Locald: bad-request`, 's'), JSON.stringify(text))
      t.equal(answer.split('HTTP/1.1').length, 2, 'and nothing after it')
    }
    t.strictSame(
      bodies.filter(body => body !== 'cut'),
      [],
      'the service saw no whole request',
    )
    const lines = log.filter(line => line.startsWith('warn'))
    t.ok(lines.length >= 1 && lines.length <= 3, `${lines.length} lines in the log`)
  })

  await t.test('a head that is too large, and one that just fits', async t => {
    const head = (size: number): string =>
      `GET / HTTP/1.1\r\nHost: shop.localhost\r\nConnection: close\r\nX: ${'x'.repeat(size)}\r\n\r\n`
    t.match(await wire(t, port).send(head(70_000)).end(), /^HTTP\/1.1 431 .*X-Locald: bad-request/s)
    const roomy = await scripted(t, 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine')
    catalog.set('shop:web', at(roomy.port))
    t.match(await wire(t, port).send(head(60_000)).end(), /^HTTP\/1.1 200 .*fine$/s)
    const many = 'A: b\r\n'.repeat(5_000)
    t.match(
      await wire(t, port).send(`GET / HTTP/1.1\r\nHost: shop.localhost\r\nConnection: close\r\n${many}\r\n`).end(),
      /^HTTP\/1.1 200/,
    )
    t.equal(roomy.seen.at(-1)?.split('A: b').length, 5_001, 'no header is dropped')
    catalog.set('shop:web', at(service.port))
  })

  await t.test('heads that trickle are cut, uploads that trickle are not', async t => {
    const upload = wire(t, port).send(`${post}Content-Length: 8\r\n\r\nslow`)
    const slow = wire(t, port).send('GET / HTTP/1.1\r\nHost: sh')
    const drip = setInterval(() => slow.send('o'), 50)
    t.teardown(() => clearInterval(drip))
    t.match(await slow.end(), /^HTTP\/1.1 408/)
    clearInterval(drip)
    const silent = wire(t, port)
    t.equal(await silent.end(), '', 'a connection that says nothing is closed without a word')
    upload.send('body')
    t.match(await upload.has('fine'), /^HTTP\/1.1 200/)
    t.equal(bodies.at(-1), 'POST / [slowbody]')
  })

  await t.test('methods that are none of the proxy’s business', async t => {
    const text = await wire(t, port).send('CONNECT shop.localhost:443 HTTP/1.1\r\nHost: shop.localhost\r\n\r\n').end()
    t.match(text, /^HTTP\/1.1 405 .*Allow: GET, HEAD/s)
  })

  await t.test('a loop ends', async t => {
    const loop = await serve(t, (req, res) => {
      const headers = Object.fromEntries(Object.entries(req.headers).filter(([name]) => name !== 'connection'))
      req.pipe(
        http.request({ host: '127.0.0.1', port, path: req.url, method: req.method, headers, agent: false }, answer => {
          res.writeHead(answer.statusCode ?? 0, answer.headers)
          answer.pipe(res)
        }),
      )
    })
    catalog.set('loop:web', at(loop.port))
    const got = await get(port, 'loop.localhost', '/', { headers: { accept: 'text/html' } })
    t.equal(got.status, 508)
    t.equal(got.header('x-locald'), 'loop')
    t.match(got.body, /passed through locald 5 times and is back at loop.localhost/)
    t.match(got.body, /changeOrigin/)
  })
})

const navigation = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8', 'sec-fetch-mode': 'navigate' }

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
      { status: 'exited', code: 503, what: 'failed', error: 'SERVICE_FAILED', text: /shop:web has exited/ },
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
      t.notMatch(page.body, '<script')
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

t.test('upgrades', async t => {
  const { port, catalog } = await boot(t)

  await t.test('WebSocket: text, binary, close codes, by name and by path', async t => {
    catalog.project('shop', [{ prefix: '/ws', service: 'live', stripPrefix: true }])
    const server = http.createServer()
    const seen: http.IncomingHttpHeaders[] = []
    const sockets = new WebSocketServer({ server, handleProtocols: () => 'v2' })
    sockets.on('connection', (socket, req) => {
      seen.push(req.headers)
      socket.send(`hello ${req.url}`)
      socket.on('message', (data, binary) => socket.send(data, { binary }))
      socket.on('close', code => seen.push({ code: String(code) }))
    })
    const { port: to } = await listening(t, server)
    catalog.set('shop:live', at(to))
    const big = Buffer.alloc(3_000_000, 7)
    for (const [host, path, url] of [
      ['live.shop.localhost', '/a?b', '/a?b'],
      ['shop.localhost', '/ws/a?b', '/a?b'],
    ] as const) {
      seen.length = 0
      const client = new WebSocket(`ws://127.0.0.1:${port}${path}`, ['v1', 'v2'], {
        headers: { host: `${host}:${port}` },
      })
      t.teardown(() => client.terminate())
      const messages: Buffer[] = []
      client.on('message', data =>
        messages.push(Buffer.from(data instanceof ArrayBuffer ? new Uint8Array(data) : Buffer.concat([data].flat()))),
      )
      await once(client, 'open')
      t.equal(client.protocol, 'v2')
      client.send('text é')
      client.send(big)
      client.send(Buffer.from([1, 2, 3]))
      await eventually(() => messages.length === 4, 'four messages')
      t.equal(messages[0]?.toString(), `hello ${url}`, 'what comes with the head is not lost')
      t.equal(messages[1]?.toString(), 'text é')
      t.ok(messages[2]?.equals(big))
      t.strictSame([...(messages[3] ?? [])], [1, 2, 3])
      t.match(seen[0], {
        'x-forwarded-for': '127.0.0.1',
        'x-forwarded-host': `${host}:${port}`,
        host: `${host}:${port}`,
      })
      t.equal(seen[0]?.['x-forwarded-prefix'], path.startsWith('/ws') ? '/ws' : undefined)
      client.close(4001)
      await eventually(() => seen.length === 2, 'the close')
      t.equal(seen[1]?.['code'], '4001')
      if (client.readyState !== WebSocket.CLOSED) await once(client, 'close')
    }
    const cut = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { host: 'live.shop.localhost' } })
    await once(cut, 'open')
    seen.length = 0
    cut.terminate()
    await eventually(() => seen.length === 1, 'the service learns that the client is gone')
    const dropped = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { host: 'live.shop.localhost' } })
    await once(dropped, 'open')
    for (const socket of sockets.clients) socket.terminate()
    await once(dropped, 'close')
    sockets.close()
  })

  const ask = (path: string, more = ''): string =>
    `GET ${path} HTTP/1.1\r\nHost: shop.localhost\r\nConnection: Upgrade\r\nUpgrade: Echo/1\r\n${more}\r\n`

  await t.test('any protocol, with the bytes beside the heads and each half close', async t => {
    const heads: string[] = []
    const service = await raw(t, socket => {
      let text = ''
      socket.setEncoding('latin1')
      socket.on('data', (data: string) => {
        const before = text
        text += data
        const end = text.indexOf('\r\n\r\n')
        if (end === -1) return
        if (before.includes('\r\n\r\n')) return void socket.write(`<${data}>`)
        heads.push(text.slice(0, end))
        socket.write(
          'HTTP/1.1 101 Go on\r\nupgrade: Echo/1\r\nConnection: Upgrade\r\nX-Caf: \xe9\r\n\r\nearly',
          'latin1',
        )
        if (text.length > end + 4) socket.write(`<${text.slice(end + 4)}>`)
      })
      socket.on('end', () => {
        socket.write('after your end')
        socket.end()
      })
    })
    catalog.set('shop:web', at(service.port))
    const client = wire(t, port).send(`${ask('/x')}first`)
    await client.has('<first>')
    t.match(
      client.text,
      /^HTTP\/1.1 101 Go on\r\nX-Caf: \xe9\r\nConnection: Upgrade\r\nUpgrade: Echo\/1\r\n\r\nearly<first>$/,
    )
    t.match(heads[0], /\r\nConnection: Upgrade\r\nUpgrade: echo\/1\r\n/)
    client.send('second')
    await client.has('<second>')
    client.socket.end()
    t.match(await client.end(), /after your end$/, 'the other direction outlives the first')
    const quiet = await raw(t, socket => {
      socket.once('data', () => socket.end('HTTP/1.1 101 Go\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nbye'))
      socket.on('data', (data: Buffer) => heads.push(data.toString()))
    })
    catalog.set('shop:web', at(quiet.port))
    const other = wire(t, port).send(ask('/x'))
    await other.end()
    other.send('still here')
    await eventually(() => heads.at(-1) === 'still here', 'a service that ended its half still hears')
  })

  await t.test('one that the service declines is a plain response, and the last', async t => {
    const body = 'x'.repeat(5_000_000)
    const service = await serve(t, (req, res) => res.writeHead(426, { 'X-Url': req.url ?? '' }).end(body))
    service.on('upgrade', (_req, socket: Socket) => {
      socket.end('HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno')
    })
    catalog.set('shop:web', at(service.port))
    const text = await wire(t, port)
      .send(ask('/x'))
      .send('GET /smuggled HTTP/1.1\r\nHost: shop.localhost\r\n\r\n')
      .end()
    t.match(text, /^HTTP\/1.1 403 No\r\nContent-Length: 2\r\n.*Connection: close\r\n\r\nno$/s)
    const long = await serve(t, (_req, res) => res.end())
    long.on(
      'upgrade',
      (_req, socket: Socket) => void socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`),
    )
    catalog.set('shop:web', at(long.port))
    const whole = await wire(t, port).send(ask('/x')).end()
    t.equal(whole.length - whole.indexOf('\r\n\r\n') - 4, body.length, 'however long it is')
  })

  await t.test('h2c, and a wish with a body, are served as plain requests', async t => {
    const service = await serve(t, async (req, res) => {
      res.setHeader('Upgrade', 'h2,h2c')
      res.setHeader('Connection', 'Upgrade, Keep-Alive')
      res.end(
        `${req.method} ${req.headers.upgrade ?? '-'} ${req.headers['http2-settings'] ?? '-'} [${await textOf(req)}]`,
      )
    })
    catalog.set('shop:web', at(service.port))
    const client = wire(t, port)
    const h2c =
      'Host: shop.localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAAB\r\n'
    const expected = ['GET - - []', 'POST - - [body]', 'POST - - [bo]', 'POST - - [part]', 'GET - - []']
    client.send(`GET / HTTP/1.1\r\n${h2c}\r\n`)
    await client.has(expected[0] ?? '')
    client.send(`POST / HTTP/1.1\r\n${h2c}Content-Length: 4\r\n\r\nbody`)
    await client.has(expected[1] ?? '')
    client.send(
      `POST / HTTP/1.1\r\nHost: shop.localhost\r\nConnection: upgrade\r\nUpgrade: foo\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n0\r\n\r\n`,
    )
    await client.has(expected[2] ?? '')
    client.send(`POST / HTTP/1.1\r\n${h2c}Content-Length: 4\r\n\r\npa`)
    client.send('rt')
    await client.has(expected[3] ?? '')
    for (let i = 0; i < 15; i++) {
      client.text = ''
      client.send(`GET / HTTP/1.1\r\n${h2c}\r\n`)
      await client.has(expected[4] ?? '')
    }
    t.notMatch(client.text, /^Upgrade/m)
    t.notOk(client.ended, 'the connection stays')
  })

  await t.test('one for a service that is starting is held; what it sends meanwhile is kept', async t => {
    const service = await raw(t, socket => {
      socket.once('data', data => {
        socket.write('HTTP/1.1 101 Go\r\nUpgrade: echo/1\r\nConnection: Upgrade\r\n\r\n')
        const text = data.toString()
        socket.write(text.slice(text.indexOf('\r\n\r\n') + 4))
        socket.pipe(socket)
      })
    })
    catalog.set('shop:web', { status: 'starting' })
    const client = wire(t, port).send(ask('/'))
    await eventually(() => catalog.waiting === 1, 'it is held')
    client.send('early words')
    const left = wire(t, port).send(ask('/'))
    await eventually(() => catalog.waiting === 2, 'both are')
    left.socket.destroy()
    await eventually(() => catalog.waiting === 1, 'one left')
    catalog.set('shop:web', at(service.port))
    await client.has('early words')
    catalog.set('shop:web', { status: 'failed', reason: 'boom' })
    t.match(await wire(t, port).send(ask('/')).end(), /^HTTP\/1.1 503 .*boom/s)
    catalog.set('shop:web', at(await unused()))
    t.match(await wire(t, port).send(ask('/')).end(), /^HTTP\/1.1 502 .*nothing listens/s)
    t.match(await wire(t, port).send(ask('/').replace('shop.localhost', 'x.localhost')).end(), /^HTTP\/1.1 404/)
    t.match(await wire(t, port).send(ask('/').replace('Host', 'Nohost')).end(), /^HTTP\/1.1 400/)
  })

  await t.test('backpressure', async t => {
    const size = 64 * 2 ** 20
    let sent = 0
    const service = await raw(t, socket => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 101 Go\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n')
        const chunk = Buffer.alloc(2 ** 16, 'x')
        const pour = (): void => {
          while (sent < size) {
            sent += chunk.length
            if (!socket.write(chunk)) return void socket.once('drain', pour)
          }
          socket.end()
        }
        pour()
      })
    })
    catalog.set('shop:web', at(service.port))
    const client = net.connect(port, '127.0.0.1')
    t.teardown(() => client.destroy())
    client.write(ask('/'))
    let received = 0
    let ahead = 0
    for await (const data of client) {
      received += data.length
      ahead = Math.max(ahead, sent - received)
      await new Promise(resolve => setImmediate(resolve))
    }
    t.ok(received > size)
    t.ok(ahead < 24 * 2 ** 20, `the service was ${ahead} bytes ahead`)
  })
})

t.test('many idle connections hurt nobody', { timeout: 60_000 }, async t => {
  const { port, catalog } = await boot(t)
  const service = await serve(t, (_req, res) => res.end('fine'))
  catalog.set('shop:web', at(service.port))
  const many = openFiles() > 12_000 ? 10_000 : 1_000
  const source = `
    const net = require('node:net')
    let open = 0
    const next = () => {
      const socket = net.connect(${port}, '127.0.0.1', () => {
        open++
        if (open % 2 === 0) socket.write('GET / HTTP/1.1\\r\\nHost: sh')
        if (open === ${many}) process.stdout.write('ready')
        else if (open + 100 <= ${many}) next()
      })
      socket.on('error', error => { console.error(error); process.exit(1) })
    }
    for (let i = 0; i < 100; i++) next()`
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(NODE_OPTIONS|_?TAP)/.test(name)))
  const before = process.memoryUsage.rss()
  const child = spawn(process.execPath, ['-e', source], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  for (let i = 0; i < 20; i++) {
    const got = await Promise.all(Array.from({ length: 10 }, () => get(port, 'shop.localhost')))
    if (got.some(({ body }) => body !== 'fine')) t.fail('an answer is wrong')
  }
  const grown = process.memoryUsage.rss() - before
  t.ok(grown < many * 40_000, `${Math.round(grown / many)} bytes for each of ${many}`)
  child.kill('SIGKILL')
  await once(child, 'exit')
})

t.test('listening', async t => {
  const check = async (run: Running, id: string) => run.checks.get(id)?.run()

  await t.test('on any port, both families', async t => {
    const run = await boot(t)
    t.ok(run.port > 0)
    t.equal(run.web.url('shop.localhost'), `http://shop.localhost:${run.port}`)
    t.equal(run.web.https, null)
    t.match(await check(run, 'proxy-http'), {
      status: 'pass',
      summary: `listens on 127.0.0.1:${run.port} and [::1]:${run.port}`,
    })
    t.match(await check(run, 'proxy-port'), { status: 'pass' })
    const six = new Wire(run.port, '::1')
    t.match(await six.send('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n').end(), /200 OK/)
    await run.close()
    const again = new Wire(run.port)
    await again.until(wire => wire.closed, 'nobody listens any more')
    t.match(again.error, { code: 'ECONNREFUSED' })
    t.equal(run.catalog.listeners.size, 0)
  })

  await t.test('on the port in LOCALD_HTTP_PORT or not at all', async t => {
    const other = await listening(t, net.createServer())
    const run = await boot(t, { env: String(other.port), holder: 'nginx (pid 12)' })
    t.equal(run.web.http, null)
    t.match(run.log, [`error the proxy does not run: port ${other.port} cannot be used (EADDRINUSE)`])
    t.match(await check(run, 'proxy-http'), {
      status: 'fail',
      summary: `port ${other.port} is taken by nginx (pid 12), so no service has a URL`,
    })
    t.match(await check(run, 'proxy-port'), { status: 'skip' })
    t.equal(run.web.url('shop.localhost'), 'http://shop.localhost')
    const six = await listening(t, net.createServer(), '::1')
    const half = await boot(t, { env: String(six.port) })
    t.equal(half.web.http, null, 'a port taken on one family only is taken')
    const free = net.connect(six.port, '127.0.0.1')
    t.match(
      await new Promise(resolve => free.once('error', resolve)),
      { code: 'ECONNREFUSED' },
      'and let go of on the other',
    )
    const exact = await unused()
    t.equal((await boot(t, { env: String(exact) })).port, exact)
    for (const env of ['http', '70000', '-1', '80 ']) {
      const bad = await boot(t, { env })
      t.equal(bad.web.http, null)
      t.match(await check(bad, 'proxy-http'), {
        status: 'fail',
        summary: `LOCALD_HTTP_PORT is '${env}', which is not a port`,
      })
      t.match(bad.log, [/^error the proxy does not run: LOCALD_HTTP_PORT/])
    }
  })

  await t.test('by default on 8080 or the next free one', async t => {
    const first = await boot(t, { env: undefined })
    t.ok(first.port >= 8080 && first.port < 8180)
    const second = await boot(t, { env: undefined, holder: 'someone' })
    t.ok(second.port > first.port)
    t.match(await check(second, 'proxy-port'), {
      status: 'warn',
      severity: 'optional',
      summary: `${second.port}, because 8080 is taken by someone`,
    })
    const privileged = await boot(t, { env: '', features: ['privileged-ports'] })
    if (privileged.port === 80) t.equal(privileged.web.url('shop.localhost'), 'http://shop.localhost')
    else t.match(await check(privileged, 'proxy-port'), { status: 'warn', summary: /because 80 / })
  })

  await t.test('a daemon that has not booted has nothing to check', async t => {
    const run = await boot(t)
    const checks = new Map<string, Check>()
    const hooks = { ...run.host.hooks, booted: new AsyncSeriesHook<[]>([]) }
    await proxyPlugin.setup({ ...run.host, hooks, provide: () => undefined, check: it => void checks.set(it.id, it) })
    t.match(await checks.get('proxy-http')?.run(), { status: 'skip' })
    t.match(await checks.get('proxy-port')?.run(), { status: 'skip' })
  })
})

t.test('closing', async t => {
  const run = await boot(t, { limits: { closing: 300 } })
  const { port, catalog } = run
  const finish = gate()
  const service = await serve(t, async (req, res) => {
    if (req.url === '/forever') return void res.write('x')
    await finish.promise
    res.end('finished')
  })
  catalog.set('shop:web', at(service.port))
  catalog.set('shop:slow', { status: 'starting' })
  const idle = wire(t, port).send('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await idle.has('"services"')
  const forever = wire(t, port).send('GET /forever HTTP/1.1\r\nHost: shop.localhost\r\n\r\n')
  await forever.has('x\r\n')
  const soon = get(port, 'shop.localhost', '/soon')
  const held = get(port, 'slow.shop.localhost')
  await eventually(() => catalog.waiting === 1, 'one is held')
  const closed = run.close()
  t.match(await held, { status: 503 })
  finish.open()
  t.equal((await soon).body, 'finished', 'what is in flight may finish')
  await closed
  await idle.end()
  await forever.end()
  t.notMatch(forever.text, '\r\n0\r\n')
  t.equal(catalog.waiting, 0)
})
