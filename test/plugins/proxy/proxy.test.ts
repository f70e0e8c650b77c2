import { once } from 'node:events'
import http, { type IncomingMessage, type RequestListener } from 'node:http'
import http2, { type IncomingHttpHeaders } from 'node:http2'
import type { Socket } from 'node:net'
import { connect } from 'node:tls'
import t from 'tap'
import proxyPlugin from '../../../plugins/proxy/index.ts'
import { at, boot, eventually, gate, get, listening, raw, scripted, serve, textOf, Wire, wire } from './harness.ts'

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
  catalog.project('blog', [{ prefix: '/api', service: 'site', stripPrefix: true }], 'my.blog.test', true)
  catalog.set('shop:web', at(web?.port ?? 0))
  catalog.set('shop:api', at(api?.port ?? 0))
  catalog.set('shop:old', at(old?.port ?? 0))
  catalog.set('shop:queue', { hosts: [] })
  catalog.set('blog:site', { ...at(blog?.port ?? 0), hosts: ['my.blog.test', 'site.my.blog.test'] })
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
    ['my.blog.test', '/', 'blog / '],
    ['x.my.blog.test', '/', 'blog / '],
    ['x.y.my.blog.test', '/', 'blog / '],
    ['x.my.blog.test', '/api/1', 'blog /1 /api'],
    ['site.my.blog.test', '/api/1', 'blog /api/1 '],
    ['x.site.my.blog.test', '/', 'blog / '],
  ]
  for (const [host, path, body] of cases) {
    const got = await get(port, host, path)
    t.equal(got.body, body, `${host}${path}`)
  }

  await t.test('a name that is no service’s is unknown without a wildcard', async t => {
    for (const host of ['nope', 'tenant.web', 'a.b.api', 'queue'].map(name => `${name}.shop.localhost`)) {
      const got = await get(port, host)
      t.equal(got.status, 404, host)
      t.equal(got.header('x-locald'), 'unknown-host')
    }
    const got = JSON.parse((await get(port, 'ap.shop.localhost')).body)
    t.match(got.error, { message: 'Unknown host ap.shop.localhost', hint: 'Did you mean api.shop.localhost?' })
    t.match(JSON.parse((await get(port, 'tenant-7.shop.localhost')).body).error, {
      hint: /Set `wildcard = true` in \[project\]/,
    })
  })

  await t.test('an absolute target outranks the Host header', async t => {
    const text = await wire(t, port)
      .send('GET http://api.shop.localhost:9/p?q HTTP/1.1\r\nHost: shop.localhost\r\nConnection: close\r\n\r\n')
      .end()
    t.match(text, /api \/p\?q/)
  })

  await t.test('a route to a service that was never started', async t => {
    const got = await get(port, 'shop.localhost', '/gone/x')
    t.equal(got.status, 503)
    t.match(got.body, /Service shop:gone is not running/)
    catalog.project('empty')
    const nobody = await get(port, 'empty.localhost', '/')
    t.equal(nobody.status, 404)
    t.match(nobody.body, /No service of empty serves empty.localhost/)
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
    t.match((await get(port, 'shop.localhost', '/api')).body, /Service shop:api is not running/)
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
    for (const version of ['2.0', '0.9']) {
      const text = await wire(t, port).send(`GET / HTTP/${version}\r\nHost: shop.localhost\r\n\r\n`).end()
      t.match(text, /^HTTP\/1.1 505 .*Connection: close/s, version)
    }
  })
})

t.test('headers', async t => {
  const { port, catalog } = await boot(t)

  await t.test('that only the proxy may set, one at a time', async t => {
    const service = await scripted(t, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    catalog.set('shop:web', at(service.port))
    for (const name of [
      'X-Forwarded-For',
      'x_forwarded_for',
      'X-FORWARDED_Proto',
      'X_Locald_Hops',
      'Forwarded',
      'Proxy-X',
    ]) {
      const text = `GET / HTTP/1.1\r\nHost: shop.localhost\r\n${name}: 6.6.6.6\r\nX_Own: kept\r\nConnection: close\r\n\r\n`
      await wire(t, port).send(text).end()
      t.match(service.seen.at(-1), 'X_Own: kept')
      t.notMatch(service.seen.at(-1), '6.6.6.6', name)
    }
  })

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
      'X_Forwarded_For: 6.6.6.6',
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

t.test('redirects and cookies of a service', async t => {
  const { port, securePort, ca, catalog } = await boot(t, { https: true })
  let answer: readonly string[] = []
  let status = 302
  const listener: RequestListener = (_, res) => res.writeHead(status, [...answer]).end('x')
  const [web, old] = await Promise.all([serve(t, listener), serve(t, listener)])
  catalog.project('shop', [{ prefix: '/old', service: 'old', stripPrefix: true }])
  catalog.set('shop:web', at(web.port))
  catalog.set('shop:old', at(old.port))
  const client = http2.connect(`https://shop.localhost:${securePort}`, {
    createConnection: () =>
      connect({ host: '127.0.0.1', port: securePort, ca, servername: 'shop.localhost', ALPNProtocols: ['h2'] }),
  })
  t.teardown(() => client.destroy())
  const overH2 = async (path: string) => {
    const stream = client.request({ ':path': path })
    const [headers]: IncomingHttpHeaders[] = await once(stream, 'response')
    stream.resume()
    return headers ?? {}
  }
  const lanes = {
    'the fast lane': async (path: string) => (await get(port, 'shop.localhost:99', path)).res.headers,
    'the other lane': async (path: string) =>
      (await get(port, 'shop.localhost:99', path, { method: 'POST', body: 'x' })).res.headers,
    'HTTP/2': overH2,
  }
  const there = `localhost:${web.port}`
  const cases: [path: string, name: string, value: string, wanted: string][] = [
    ['/', 'location', `http://${there}/in?a=b#c`, 'BASE/in?a=b#c'],
    ['/', 'Location', `HTTP://LocalHost:${web.port}`, 'BASE/'],
    ['/', 'location', `https://127.0.0.1:${web.port}?q`, 'BASE/?q'],
    ['/', 'location', `http://[::1]:${web.port}/`, 'BASE/'],
    ['/', 'location', `http://0.0.0.0:${web.port}/`, 'BASE/'],
    ['/', 'location', `//${there}/x`, 'BASE/x'],
    ['/', 'location', `http://Shop.localhost:${web.port}/x`, 'BASE/x'],
    ['/', 'location', `http://api.shop.localhost:${web.port}/x`, `http://api.shop.localhost:${web.port}/x`],
    ['/', 'location', `http://shop.localhost:${old.port}/x`, `http://shop.localhost:${old.port}/x`],
    ['/', 'content-location', `http://${there}/x`, 'BASE/x'],
    ['/', 'refresh', `5; url=http://${there}/x`, '5; url=BASE/x'],
    ['/', 'x-other', `http://${there}/x`, `http://${there}/x`],
    ['/', 'location', `http://localhost:${old.port}/`, `http://localhost:${old.port}/`],
    ['/', 'location', `http://${there}0/`, `http://${there}0/`],
    ['/', 'location', `http://user@${there}/`, `http://user@${there}/`],
    ['/', 'location', `http://${there}.example/`, `http://${there}.example/`],
    ['/', 'location', 'http://localhost/', 'http://localhost/'],
    ['/', 'location', '/login', '/login'],
    ['/', 'set-cookie', 'a=b; Path=/', 'a=b; Path=/'],
    ['/old/x', 'location', '/login?next=/', '/old/login?next=/'],
    ['/old/x', 'location', '/', '/old/'],
    ['/old/x', 'location', '/old/login', '/old/login'],
    ['/old/x', 'location', '/older', '/old/older'],
    ['/old/x', 'location', 'login', 'login'],
    ['/old/x', 'location', '//example.com/', '//example.com/'],
    ['/old/x', 'location', 'https://example.com/', 'https://example.com/'],
    ['/old/x', 'location', 'BASE/login', 'BASE/old/login'],
    ['/old/x', 'location', `http://shop.localhost:${old.port}/login`, 'BASE/old/login'],
    ['/old/x', 'location', `http://127.0.0.1:${old.port}/in`, 'BASE/old/in'],
    ['/old/x', 'set-cookie', 'a=b; path=/; HttpOnly', 'a=b; path=/old; HttpOnly'],
    ['/old/x', 'set-cookie', 'a=/; Path=/x; Secure', 'a=/; Path=/old/x; Secure'],
    ['/old/x', 'set-cookie', 'a=b; Path=/old', 'a=b; Path=/old'],
    ['/old/x', 'set-cookie', '__Host-a=b; Path=/; Secure', '__Host-a=b; Path=/; Secure'],
    ['/old/x', 'set-cookie', 'a=b', 'a=b'],
  ]
  for (const [lane, ask] of Object.entries(lanes)) {
    const base = lane === 'HTTP/2' ? `https://shop.localhost:${securePort}` : 'http://shop.localhost:99'
    for (const [path, name, value, wanted] of cases) {
      answer = [name, value.replace('BASE', base)]
      const found = (await ask(path))[name.toLowerCase()]
      t.equal(String(found), wanted.replace('BASE', base), `${lane}: ${path} ${value}`)
    }
  }
  status = 200
  answer = ['Location', `http://${there}/`, 'Set-Cookie', 'a=b; Path=/']
  t.equal((await get(port, 'shop.localhost')).header('location'), `http://${there}/`, 'one that is no redirect')
  t.equal((await get(port, 'shop.localhost', '/old')).header('set-cookie'), 'a=b; Path=/old')
  status = 201
  t.equal((await get(port, 'shop.localhost:99')).header('location'), 'http://shop.localhost:99/')
  status = 200
  answer = ['Refresh', `0; url=http://${there}/x`]
  t.equal((await get(port, 'shop.localhost')).header('refresh'), '0; url=http://shop.localhost/x')
  t.equal((await overH2('/'))['refresh'], `0; url=https://shop.localhost:${securePort}/x`)
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

  await t.test('a client that leaves with requests sent ahead', async t => {
    const { port, catalog, log } = await boot(t, { limits: { concurrent: 3, pipelined: 20 } })
    let requests = 0
    let open = 0
    const service = await serve(t, (_req, res) => {
      requests++
      open++
      res.once('close', () => open--)
      res.write('x')
    })
    catalog.set('shop:web', at(service.port))
    const request = 'GET / HTTP/1.1\r\nHost: shop.localhost\r\n\r\n'
    const client = wire(t, port).send(request.repeat(10))
    await eventually(() => requests === 3, 'as many as may be are worked on')
    client.socket.destroy()
    await eventually(() => open === 0, 'all of them end')
    t.equal(requests, 3, 'and no other begins')
    const flood = wire(t, port).send(request.repeat(100))
    await flood.end()
    await eventually(() => open === 0, 'a client that sends too many is let go')
    t.ok(requests <= 6)
    t.match(log.at(-1), /more than 20 pipelined requests/)
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
