import { once } from 'node:events'
import http from 'node:http'
import type { IncomingHttpHeaders } from 'node:http2'
import t from 'tap'
import { boot } from '../lib/boot.ts'
import { textOf } from '../lib/client.ts'
import { at, listening, scripted, serve } from '../lib/services.ts'
import { ask, responseOf, session } from './client.ts'

t.test('HTTP/2 messages', async t => {
  const run = await boot(t, { https: true })
  const { catalog, securePort, web } = run
  catalog.project('shop')
  const client = await session(t, run)
  t.equal(web.url('web.shop.localhost'), `https://web.shop.localhost:${securePort}`)
  t.equal(web.url('shop.example.com'), `http://shop.example.com:${run.port}`, 'a name without a certificate')
  t.equal((await boot(t)).web.https, null, 'off without certificates')

  await t.test('forwards requests as HTTP/1.1', async t => {
    const seen: { raw: string[]; method: string; url: string; body: string }[] = []
    const service = await serve(t, async (req, res) => {
      const body = await textOf(req)
      seen.push({ raw: req.rawHeaders, method: req.method ?? '', url: req.url ?? '', body })
      res.setHeader('X-Caf', 'caf\u00e9')
      res.setHeader('Set-Cookie', ['a=1', 'b=2'])
      res.setHeader('Keep-Alive', 'timeout=9')
      res.end(`<${body}>`)
    })
    catalog.set('shop:web', at(service.port))
    const got = await ask(client, {
      ':path': '/a%zz|?q',
      cookie: ['a=1', 'b=2'],
      'x-b': 'caf\u00e9',
      te: 'trailers',
      'x-forwarded-for': '6.6.6.6',
      x_forwarded_for: '6.6.6.6',
    })
    t.equal(got.status, 200)
    t.equal(got.body, '<>')
    t.equal(got.headers['x-caf'], 'caf\u00c3\u00a9', 'the bytes that node:http writes with a body of text')
    t.strictSame(got.headers['set-cookie'], ['a=1', 'b=2'])
    t.notOk(got.headers['keep-alive'])
    t.equal(seen[0]?.url, '/a%zz|?q')
    t.strictSame(seen[0]?.raw, [
      ...['host', 'shop.localhost', 'x-b', 'caf\u00e9', 'cookie', 'a=1; b=2', 'TE', 'trailers'],
      ...['Connection', 'keep-alive, TE', 'X-Forwarded-For', '127.0.0.1', 'X-Forwarded-Proto', 'https'],
      ...['X-Forwarded-Host', 'shop.localhost', 'X-Forwarded-Port', String(securePort)],
      ...['Forwarded', 'for=127.0.0.1;host="shop.localhost";proto=https', 'X-Locald-Hops', '1'],
    ])
    t.match(await ask(client, { ':method': 'POST' }, 'body'), { body: '<body>' })
    t.match(await ask(client, { ':method': 'POST', 'content-length': 4 }, 'body'), { body: '<body>' })
    t.match(await ask(client, { ':method': 'PUT' }, Buffer.alloc(3_000_000, 'x')), { status: 200 })
    t.equal(seen.at(-1)?.body.length, 3_000_000)
    t.match(await ask(client, { ':method': 'DELETE' }), { body: '<>' })
    t.match(await ask(client, { ':method': 'POST' }), { body: '<>' })
    t.equal(seen.at(-1)?.raw.includes('chunked'), false)
    t.match(await ask(client, { ':method': 'OPTIONS', ':path': '*' }), { status: 200 })
  })

  await t.test('forwards any method', async t => {
    const service = await scripted(t, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    catalog.set('shop:web', at(service.port))
    t.match(await ask(client, { ':method': 'FOOBAR' }), { status: 200 })
    t.match(service.seen[0], /^FOOBAR \/ HTTP\/1.1\r\n/)
  })

  await t.test('forwards responses of every framing', async t => {
    const service = await serve(t, (req, res) => {
      if (req.url === '/204') res.writeHead(204).end()
      else if (req.url === '/304') res.writeHead(304, { ETag: 'x' }).end()
      else if (req.url === '/empty') res.writeHead(200, { 'Content-Length': '0' }).end()
      else if (req.url === '/chunks') {
        res.write('one')
        setImmediate(() => res.end('two'))
      } else if (req.url === '/old') {
        req.socket.end('HTTP/1.0 200 OK\r\n\r\nto the end')
      } else res.writeHead(200, { 'Content-Length': '4' }).end(req.method === 'HEAD' ? '' : 'text')
    })
    catalog.set('shop:web', at(service.port))
    for (const [path, status, body] of [
      ['/204', 204, ''],
      ['/304', 304, ''],
      ['/empty', 200, ''],
      ['/chunks', 200, 'onetwo'],
      ['/old', 200, 'to the end'],
      ['/', 200, 'text'],
    ] as const) {
      t.match(await ask(client, { ':path': path }), { status, body }, path)
    }
    const head = await ask(client, { ':method': 'HEAD' })
    t.match(head, { status: 200, body: '' })
    t.equal(head.headers['content-length'], '4')
  })

  await t.test('forwards trailers both ways', async t => {
    let seen: string[] = []
    const service = await serve(t, (req, res) => {
      req.resume().on('end', () => {
        seen = req.rawTrailers
        res.writeHead(200, { Trailer: 'X-Sum' })
        res.write('body')
        res.addTrailers({ 'X-Sum': 'abc', 'X-Other': 'd' })
        res.end()
      })
    })
    catalog.set('shop:web', at(service.port))
    const stream = client.request(
      { ':authority': 'shop.localhost', ':method': 'POST', ':path': '/', te: 'trailers' },
      { waitForTrailers: true },
    )
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-digest': '1' }))
    stream.end('abc')
    const got = await responseOf(stream)
    t.equal(got.body, 'body')
    t.match(got.trailers, { 'x-sum': 'abc', 'x-other': 'd' })
    t.strictSame(seen, ['x-digest', '1'])
  })

  await t.test('forwards interim responses', async t => {
    const service = http.createServer()
    service.on('checkContinue', async (req, res) => {
      res.writeContinue()
      res.writeEarlyHints({ link: '</a.css>; rel=preload' })
      res.end(`[${await textOf(req)}]`)
    })
    catalog.set('shop:web', at((await listening(t, service)).port))
    const stream = client.request({
      ':authority': 'shop.localhost',
      ':method': 'POST',
      ':path': '/',
      expect: '100-continue',
    })
    const hints: IncomingHttpHeaders[] = []
    stream.on('headers', headers => hints.push(headers))
    await once(stream, 'continue')
    stream.end('body')
    t.equal((await responseOf(stream)).body, '[body]')
    t.match(hints.at(-1), { ':status': 103, link: '</a.css>; rel=preload' })
  })
})
