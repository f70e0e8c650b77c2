import http from 'node:http'
import t from 'tap'
import { boot } from '../lib/boot.ts'
import { get, textOf, wire } from '../lib/client.ts'
import { at, scripted, serve } from '../lib/services.ts'

t.test('hostile clients of HTTP/1.1', async t => {
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

  await t.test('rejects heads that two parsers could read differently', async t => {
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
      ['GET / HTTP/3.0\r\nHost: shop.localhost\r\n\r\n', 505],
      ['GET / HTTP/x.1\r\nHost: shop.localhost\r\n\r\n', 400],
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

  await t.test('rejects a head that is too large, and accepts the largest', async t => {
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

  await t.test('times out slow heads, but not slow uploads', async t => {
    const upload = wire(t, port).send(`${post}Content-Length: 8\r\n\r\nslow`)
    const slow = wire(t, port).send('GET / HTTP/1.1\r\nHost: sh')
    const drip = setInterval(() => slow.send('o'), 50)
    t.teardown(() => clearInterval(drip))
    t.match(await slow.end(), /^HTTP\/1.1 408/)
    clearInterval(drip)
    const silent = wire(t, port)
    t.equal(await silent.end(), '', 'a silent connection is closed without a response')
    upload.send('body')
    t.match(await upload.has('fine'), /^HTTP\/1.1 200/)
    t.equal(bodies.at(-1), 'POST / [slowbody]')
  })

  await t.test('rejects CONNECT and unknown methods', async t => {
    const text = await wire(t, port).send('CONNECT shop.localhost:443 HTTP/1.1\r\nHost: shop.localhost\r\n\r\n').end()
    t.match(text, /^HTTP\/1.1 405 .*Allow: GET, HEAD/s)
  })

  await t.test('stops a request loop', async t => {
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
    t.match(got.body, /passed through locald 5 times and returned to loop.localhost/)
    t.match(got.body, /changeOrigin/)
  })
})
