import http from 'node:http'
import t from 'tap'
import { boot } from '../lib/boot.ts'
import { textOf, wire } from '../lib/client.ts'
import { at, listening, raw, scripted, serve } from '../lib/services.ts'
import { latch } from '../lib/wait.ts'

t.test('framing of HTTP/1.1', async t => {
  const { port, catalog } = await boot(t)
  const ask = (head: string): string => `${head}\r\nHost: shop.localhost\r\n`

  await t.test('reuses the connection after responses without a body', async t => {
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

  await t.test('frames a body that ends with the connection', async t => {
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

  await t.test('forwards trailers both ways', async t => {
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

  await t.test('frames requests', async t => {
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

  await t.test('answers pipelined requests in order', async t => {
    const first = latch()
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

  await t.test('forwards interim responses', async t => {
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
    t.match(await client.end(), /^HTTP\/1.1 417 .*Connection: close\r\n/s, 'and no body is expected')
    t.match(
      await wire(t, port)
        .send(`${ask('GET / HTTP/1.1')}Expect: tea\r\n\r\n`)
        .end(),
      /^HTTP\/1.1 417/,
    )
    const unknown = await wire(t, port)
      .send('POST / HTTP/1.1\r\nHost: x.localhost\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n')
      .end()
    t.match(unknown, /^HTTP\/1.1 404 .*Connection: close\r\n/s)
  })
})
