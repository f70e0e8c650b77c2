import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import http from 'node:http'
import http2, { type ClientHttp2Session, type ClientHttp2Stream, type IncomingHttpHeaders } from 'node:http2'
import https from 'node:https'
import net from 'node:net'
import { join } from 'node:path'
import { connect as tlsConnect } from 'node:tls'
import t, { type Test } from 'tap'
import { type WebSocket, WebSocketServer } from 'ws'
import { Trust } from '../../../plugins/https/trust/trust.ts'
import { noBrowser, openBrowser } from '../../lib/browser.ts'
import { field, frame, speaker } from './frames.ts'
import {
  at,
  boot,
  deadline,
  eventually,
  gate,
  get,
  listening,
  type Running,
  raw,
  scripted,
  serve,
  textOf,
  unused,
} from './harness.ts'

/** A client's session with the proxy, on 127.0.0.1 under whatever name. */
async function session(t: Test, run: Running, scheme: 'https' | 'http' = 'https'): Promise<ClientHttp2Session> {
  const port = scheme === 'https' ? run.securePort : run.port
  const made = http2.connect(`${scheme}://shop.localhost:${port}`, {
    ca: run.ca,
    settings: { enablePush: false },
    createConnection: () =>
      scheme === 'http'
        ? net.connect(port, '127.0.0.1')
        : tlsConnect({ host: '127.0.0.1', port, ca: run.ca, servername: 'shop.localhost', ALPNProtocols: ['h2'] }),
  })
  made.on('error', () => undefined)
  t.teardown(() => made.destroy())
  await once(made, 'connect')
  return made
}

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly trailers: IncomingHttpHeaders
}

/** One request; rejects when the stream is reset. */
async function ask(
  client: ClientHttp2Session,
  headers: http2.OutgoingHttpHeaders = {},
  body?: string | Buffer,
): Promise<Answer> {
  const stream = client.request(
    { ':authority': 'shop.localhost', ':path': '/', ...headers },
    { endStream: body === undefined },
  )
  if (body !== undefined) stream.end(body)
  return answerOf(stream)
}

async function answerOf(stream: ClientHttp2Stream): Promise<Answer> {
  let trailers: IncomingHttpHeaders = {}
  stream.on('trailers', headers => {
    trailers = headers
  })
  const [headers]: IncomingHttpHeaders[] = await once(stream, 'response', { signal: AbortSignal.timeout(deadline) })
  const body = await textOf(stream)
  return { status: Number(headers?.[':status']), headers: headers ?? {}, body, trailers }
}

/** How many there are, of either side. */
function connections(): number {
  return process.getActiveResourcesInfo().filter(name => name === 'TCPSocketWrap').length
}

t.test('what a service has begun may land before it is stopped', async t => {
  const landing = 1000
  const run = await boot(t, { https: true, limits: { draining: landing } })
  const { catalog, host } = run
  const client = await session(t, run)
  const open: (() => void)[] = []
  const upgraded = gate()
  const service = await serve(t, (req, res) => {
    req.resume()
    if (req.url === '/begun') res.write('x')
    open.push(() => res.end('done'))
  })
  service.on('upgrade', (_req, socket) => {
    socket.on('error', () => undefined)
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n', upgraded.open)
  })
  catalog.set('shop:web', at(service.port))
  const project = { name: 'shop', path: '/shop', domain: 'shop.localhost' }
  const stopping = () => host.hooks.stopping.promise({ key: 'shop:web', name: 'web', type: 'exec', project })
  const idle = performance.now()
  await stopping()
  t.ok(performance.now() - idle < landing / 2, 'nothing is on its way')
  const requests: Readonly<Record<string, () => Promise<{ status: number; body: string }>>> = {
    'a GET': () => get(run.port, 'shop.localhost'),
    'a response under way': () => get(run.port, 'shop.localhost', '/begun'),
    'a POST': () => get(run.port, 'shop.localhost', '/', { method: 'POST', body: 'x' }),
    'a GET of HTTP/2': () => ask(client),
    'a POST of HTTP/2': () => ask(client, { ':method': 'POST' }, 'x'),
  }
  for (const [what, request] of Object.entries(requests)) {
    open.length = 0
    const answer = request()
    await eventually(() => open.length === 1, 'it is there')
    let waits = true
    const began = performance.now()
    const stopped = stopping().then(() => {
      waits = false
    })
    await new Promise(setImmediate)
    t.ok(waits, `${what} is waited for`)
    open[0]?.()
    const { status, body } = await answer
    await stopped
    t.match({ status, body }, { status: 200, body: /done$/ })
    t.ok(performance.now() - began < landing, 'no longer than it takes')
  }
  open.length = 0
  const slow = get(run.port, 'shop.localhost')
  await eventually(() => open.length === 1, 'it is there')
  const begun = performance.now()
  await stopping()
  const waited = performance.now() - begun
  t.ok(waited > landing * 0.9, `one that takes too long is waited for in vain (${waited} ms)`)
  const late = performance.now()
  await stopping()
  t.ok(performance.now() - late < landing / 2, 'one that has taken that long already is not')
  open[0]?.()
  await slow
  const accept = 'text/event-stream'
  const streams = {
    'an event stream': () => get(run.port, 'shop.localhost', '/begun', { headers: { accept } }),
    'one of the other lane': () => get(run.port, 'shop.localhost', '/begun', { method: 'POST', headers: { accept } }),
    'one of HTTP/2': () => ask(client, { ':path': '/begun', accept }),
    'one of HTTP/2 that a POST began': () => ask(client, { ':path': '/begun', ':method': 'POST', accept }, 'x'),
  }
  for (const [what, request] of Object.entries(streams)) {
    open.length = 0
    const answer = request()
    await eventually(() => open.length === 1, 'it is there')
    const now = performance.now()
    await stopping()
    t.ok(performance.now() - now < landing / 2, `${what} has no end to wait for`)
    open[0]?.()
    await answer
  }
  const socket = net.connect(run.port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.write('GET / HTTP/1.1\r\nHost: shop.localhost\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')
  await upgraded.promise
  const free = performance.now()
  await stopping()
  t.ok(performance.now() - free < landing / 2, 'nor is a connection that became something else')
})

t.test('HTTP/2', async t => {
  const run = await boot(t, { https: true })
  const { catalog, securePort, web } = run
  catalog.project('shop')
  const client = await session(t, run)
  t.equal(web.url('web.shop.localhost'), `https://web.shop.localhost:${securePort}`)
  t.equal(web.url('shop.example.com'), `http://shop.example.com:${run.port}`, 'a name without a certificate')
  t.equal((await boot(t)).web.https, null, 'off without certificates')

  await t.test('requests as HTTP/1.1 has them', async t => {
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

  await t.test('any method', async t => {
    const service = await scripted(t, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    catalog.set('shop:web', at(service.port))
    t.match(await ask(client, { ':method': 'FOOBAR' }), { status: 200 })
    t.match(service.seen[0], /^FOOBAR \/ HTTP\/1.1\r\n/)
  })

  await t.test('responses of every framing', async t => {
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

  await t.test('trailers both ways', async t => {
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
    const got = await answerOf(stream)
    t.equal(got.body, 'body')
    t.match(got.trailers, { 'x-sum': 'abc', 'x-other': 'd' })
    t.strictSame(seen, ['x-digest', '1'])
  })

  await t.test('interim responses', async t => {
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
    t.equal((await answerOf(stream)).body, '[body]')
    t.match(hints.at(-1), { ':status': 103, link: '</a.css>; rel=preload' })
  })

  await t.test('both directions at once; events arrive as they are sent; aborts are passed on', async t => {
    const left = gate()
    const service = await serve(t, (req, res) => {
      res.flushHeaders()
      if (req.url === '/events') {
        res.write('data: 1\n\n')
        res.once('close', () => left.open())
      } else req.pipe(res)
    })
    catalog.set('shop:web', at(service.port))
    const echo = client.request({ ':authority': 'shop.localhost', ':method': 'POST', ':path': '/' })
    await once(echo, 'response')
    for (const word of ['one', 'two']) {
      echo.write(word)
      const [piece]: Buffer[] = await once(echo, 'data')
      t.equal(piece?.toString(), word)
    }
    echo.end()
    await once(echo.resume(), 'end')
    const events = client.request({ ':authority': 'shop.localhost', ':path': '/events' })
    const [piece]: Buffer[] = await once(events, 'data')
    t.equal(piece?.toString(), 'data: 1\n\n')
    events.close(http2.constants.NGHTTP2_CANCEL)
    await left.promise
    const arrived = gate()
    const dropped = gate()
    const slow = await serve(t, (req, res) => {
      arrived.open()
      req.on('error', () => undefined).resume()
      res.once('close', () => dropped.open())
    })
    catalog.set('shop:web', at(slow.port))
    const waiting = client.request({ ':authority': 'shop.localhost', ':method': 'POST', ':path': '/' })
    waiting.on('error', () => undefined)
    waiting.write('x')
    await arrived.promise
    waiting.close(http2.constants.NGHTTP2_CANCEL)
    await dropped.promise
  })

  await t.test('a client that ends its connection has left, with all its streams', async t => {
    const left = gate()
    const service = await serve(t, (_req, res) => {
      res.write('data: 1\n\n')
      res.once('close', () => left.open())
    })
    catalog.set('shop:web', at(service.port))
    const options = { host: '127.0.0.1', port: run.securePort, ca: run.ca, servername: 'shop.localhost' }
    const socket = tlsConnect({ ...options, ALPNProtocols: ['h2'] })
    const leaving = http2.connect('https://shop.localhost', { createConnection: () => socket })
    leaving.on('error', () => undefined)
    const events = leaving.request({ ':path': '/events' })
    events.on('error', () => undefined)
    await once(events, 'data')
    // Its streams are open, and nothing is under way: only the end is there to be noticed.
    socket.end()
    await left.promise
  })

  await t.test('what breaks off is never taken for what ended', async t => {
    for (const answer of ['Content-Length: 100\r\n\r\npart', 'Transfer-Encoding: chunked\r\n\r\n4\r\npart\r\n']) {
      const service = await raw(t, socket => {
        socket.once('data', () => socket.write(`HTTP/1.1 200 OK\r\n${answer}`))
        setTimeout(() => socket.end(), 100)
      })
      catalog.set('shop:web', at(service.port))
      await t.rejects(ask(client), { code: 'ERR_HTTP2_STREAM_ERROR' })
    }
  })

  await t.test('an early answer ends the upload, and the others go on', async t => {
    const service = await serve(t, (req, res) => {
      if (req.method === 'POST') res.writeHead(413).end('too much')
      else res.end('next')
    })
    catalog.set('shop:web', at(service.port))
    t.match(await ask(client, { ':method': 'POST' }, Buffer.alloc(2_000_000)), { status: 413, body: 'too much' })
    t.match(await ask(client), { body: 'next' })
  })

  await t.test('a stale connection costs a repetition, a POST is sent once', async t => {
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

  await t.test('the proxy’s own answers', async t => {
    const service = await serve(t, (_req, res) => res.end('up'))
    catalog.set('shop:web', at(service.port))
    const unknown = await ask(client, { ':authority': 'shpo.localhost', accept: 'text/html' })
    t.match(unknown, { status: 404 })
    t.match(unknown.body, `href="https://shop.localhost:${securePort}/"`)
    t.equal(unknown.headers['x-locald'], 'unknown-host')
    t.match(await ask(client, { ':authority': 'localhost' }), { status: 200, body: /"services"/ })
    t.match(await ask(client, { ':authority': 'localhost', ':method': 'HEAD' }), { status: 200, body: '' })
    t.match(await ask(client, { ':authority': 'a..b' }), { status: 400 })
    t.match(await ask(client, { host: 'other.localhost' }), { status: 400 })
    t.match(await ask(client, { ':method': 'CONNECT', ':path': undefined, ':scheme': undefined }), { status: 405 })
    catalog.set('shop:web', at(await unused()))
    t.match(await ask(client), { status: 502, body: /nothing listens/ })
  })

  await t.test('held while the service starts', async t => {
    const seen: string[] = []
    const service = await serve(t, async (req, res) => {
      seen.push(await textOf(req))
      res.end('done')
    })
    catalog.set('shop:web', { status: 'restarting', upstream: null })
    const body = 'x'.repeat(400_000)
    const answers = Array.from({ length: 20 }, (_, i) => ask(client, { ':method': 'POST' }, `${i}${body}`))
    const gets = Array.from({ length: 20 }, () => ask(client))
    await eventually(() => catalog.waiting === 40, 'all are held')
    catalog.set('shop:web', at(service.port))
    for (const answer of await Promise.all([...answers, ...gets])) t.equal(answer.body, 'done')
    t.equal(seen.filter(text => text.endsWith(body)).length, 20, 'each once')
    catalog.set('shop:web', { status: 'starting' })
    const leaving = client.request({ ':authority': 'shop.localhost', ':path': '/' })
    leaving.on('error', () => undefined)
    await eventually(() => catalog.waiting === 1, 'it is held')
    leaving.close(http2.constants.NGHTTP2_CANCEL)
    await eventually(() => catalog.waiting === 0, 'one that leaves is forgotten')
    const failing = ask(client)
    await eventually(() => catalog.waiting === 1, 'it is held')
    catalog.set('shop:web', { status: 'failed', reason: 'it crashed' })
    t.match(await failing, { status: 503, body: /it crashed/ })
  })

  await t.test('slow readers hold back the writer', async t => {
    const size = 96 * 2 ** 20
    let sent = 0
    const chunk = Buffer.alloc(2 ** 16, 'x')
    const service = await serve(t, (_req, res) => {
      const pour = (): void => {
        while (sent < size) {
          sent += chunk.length
          if (!res.write(chunk)) return void res.once('drain', pour)
        }
        res.end()
      }
      pour()
    })
    catalog.set('shop:web', at(service.port))
    const stream = client.request({ ':authority': 'shop.localhost', ':path': '/' })
    let received = 0
    let ahead = 0
    for await (const data of stream) {
      received += data.length
      ahead = Math.max(ahead, sent - received)
      await new Promise(resolve => setImmediate(resolve))
    }
    t.equal(received, size)
    t.ok(ahead < 24 * 2 ** 20, `the service was ${ahead} bytes ahead`)
  })
})

t.test('a cold burst', { timeout: 60_000 }, async t => {
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

t.test('more requests than connections', async t => {
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

t.test('a page that is reloaded again and again', async t => {
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

t.test('a page of 300 modules that is reloaded five times loses nothing', async t => {
  const run = await boot(t, { https: true })
  const service = await serve(t, (_req, res) => res.end('a module'))
  run.catalog.set('shop:web', at(service.port))
  // As a browser does: a connection that says goodbye is left to its streams, what was not begun is sent again on a new one.
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
      return (await answerOf(stream)).body
    } catch (error) {
      if (stream.rstCode === http2.constants.NGHTTP2_REFUSED_STREAM && client.closed) return module()
      throw error
    }
  }
  for (let i = 0; i < 5; i++) {
    const client = await current()
    // All are answered in full, and hardly any of it is read.
    client.settings({ enablePush: false, initialWindowSize: 1 })
    const streams = Array.from({ length: 300 }, () => client.request({ ':authority': 'shop.localhost', ':path': '/' }))
    await Promise.all(
      streams.map(async stream => {
        const closed = new Promise(resolve => stream.once('close', resolve))
        // Not begun, where the goodbye was under way.
        await once(stream, 'response').catch(() => undefined)
        stream.close(http2.constants.NGHTTP2_CANCEL)
        await closed
      }),
    )
  }
  const loaded = await Promise.all(Array.from({ length: 300 }, () => module().catch(String)))
  t.strictSame([...new Set(loaded)], ['a module'], `with ${says} goodbyes`)
})

t.test('WebSocket over HTTP/2', async t => {
  const run = await boot(t, { https: true })
  const { catalog, securePort } = run
  const server = http.createServer()
  const sockets = new WebSocketServer({ server, handleProtocols: () => 'v2' })
  const seen: WebSocket[] = []
  const headers: http.IncomingHttpHeaders[] = []
  sockets.on('connection', (socket, req) => {
    seen.push(socket)
    headers.push(req.headers)
    socket.send('hello')
    socket.on('message', data => socket.send(data))
  })
  catalog.set('shop:web', at((await listening(t, server)).port))
  const client = await session(t, run)
  if (!client.remoteSettings.enableConnectProtocol) await once(client, 'remoteSettings')
  t.ok(client.remoteSettings.enableConnectProtocol)
  const open = (path: string, more = {}): ClientHttp2Stream =>
    client.request(
      {
        ...{ ':authority': 'shop.localhost', ':method': 'CONNECT', ':protocol': 'websocket', ':scheme': 'https' },
        ...{ ':path': path, 'sec-websocket-version': '13', 'sec-websocket-protocol': 'v1, v2', ...more },
      },
      { endStream: false },
    )
  const stream = open('/hmr')
  const [answer]: IncomingHttpHeaders[] = await once(stream, 'response')
  t.match(answer, { ':status': 200, 'sec-websocket-protocol': 'v2' })
  t.notOk(answer?.['sec-websocket-accept'])
  let text = Buffer.alloc(0)
  stream.on('data', (data: Buffer) => {
    text = Buffer.concat([text, data])
  })
  await eventually(() => text.toString().includes('hello'), 'the greeting')
  // A masked text frame of "hi" (RFC 6455 section 5.7).
  stream.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]))
  await eventually(() => text.toString().endsWith('hi'), 'the echo')
  t.match(headers[0], { 'x-forwarded-proto': 'https', 'x-forwarded-port': String(securePort), upgrade: 'websocket' })
  stream.close()
  await eventually(() => seen[0]?.readyState === 3, 'the service learns that the client is gone')
  const other = open('/hmr')
  await once(other, 'response')
  const ended = once(other.resume(), 'end')
  seen[1]?.terminate()
  await ended
  other.end()
  await once(other, 'close')
  const refusing = http.createServer()
  refusing.on('upgrade', (_req, socket: net.Socket) => socket.end('HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno'))
  catalog.set('shop:web', at((await listening(t, refusing)).port))
  t.match(await answerOf(open('/')), { status: 403, body: 'no' })
  const lying = http.createServer()
  lying.on('upgrade', (_req, socket: net.Socket) =>
    socket.end('HTTP/1.1 101 Go\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n'),
  )
  catalog.set('shop:web', at((await listening(t, lying)).port))
  t.match(await answerOf(open('/')), { status: 502 })
  sockets.close()
})

t.test('HTTP/1.1 over TLS, HTTP/2 in the clear', async t => {
  const run = await boot(t, { https: true })
  const { catalog, securePort, ca } = run
  const service = await serve(t, async (req, res) =>
    res.end(`${req.headers['x-forwarded-proto']} ${req.headers['x-forwarded-port']} [${await textOf(req)}]`),
  )
  catalog.set('shop:web', at(service.port))
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  const secure = async (method: string, body = ''): Promise<string> => {
    const req = https.request({
      ...{ host: '127.0.0.1', port: securePort, servername: 'shop.localhost', ca, agent, method },
      headers: { host: 'shop.localhost' },
    })
    req.end(body)
    const [res]: http.IncomingMessage[] = await once(req, 'response')
    return res === undefined ? '' : textOf(res)
  }
  for (const method of ['GET', 'GET', 'POST', 'GET']) {
    const body = method === 'POST' ? 'x'.repeat(100_000) : ''
    t.equal(await secure(method, body), `https ${securePort} [${body}]`)
  }
  const plain = await session(t, run, 'http')
  t.match(await ask(plain), { body: `http ${run.port} []` })
  const sockets = new WebSocketServer({ server: service })
  sockets.on('connection', socket => socket.on('message', data => socket.send(data)))
  const { WebSocket } = await import('ws')
  const tls = { ca, servername: 'shop.localhost' }
  const socket = new WebSocket(`wss://127.0.0.1:${securePort}/`, [], { ...tls, headers: { host: 'shop.localhost' } })
  await once(socket, 'open')
  socket.send('hello')
  const [message] = await once(socket, 'message')
  t.equal(String(message), 'hello')
  socket.terminate()
  sockets.close()
})

t.test('a body delimited by the close of the connection is cut off, over TLS', async t => {
  const { catalog, securePort, ca } = await boot(t, { https: true })
  const service = await raw(t, socket => {
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\n\r\npart'))
    socket.once('end', () => socket.end())
  })
  const services: net.Socket[] = []
  service.on('connection', socket => services.push(socket))
  catalog.set('shop:web', at(service.port))
  for (const version of ['1.1', '1.0']) {
    const client = tlsConnect({ host: '127.0.0.1', port: securePort, ca, servername: 'shop.localhost' })
    t.teardown(() => client.destroy())
    client.write(`POST / HTTP/${version}\r\nHost: shop.localhost\r\nContent-Length: 0\r\n\r\n`)
    client.once('data', () => services.at(-1)?.resetAndDestroy())
    const text = await textOf(client)
    t.match(text, /^HTTP\/1.1 200 OK\r\n/)
    t.notMatch(text, '\r\n0\r\n', 'it is not complete')
  }
})

t.test('a service that speaks h2c', async t => {
  const run = await boot(t, { https: true })
  const seen: IncomingHttpHeaders[] = []
  const server = http2.createServer()
  const sessions = new Set<http2.ServerHttp2Session>()
  server.on('session', made => {
    sessions.add(made)
    made.once('close', () => sessions.delete(made))
  })
  server.on('stream', (stream, headers) => {
    seen.push(headers)
    stream.on('error', () => undefined)
    const grpc = { ':status': 200, 'content-type': 'application/grpc' }
    if (headers[':path'] === '/shop.Stock/Missing') {
      stream.respond({ ...grpc, 'grpc-status': 5, 'grpc-message': 'no such thing' }, { endStream: true })
    } else if (headers[':path'] === '/break') {
      stream.respond(grpc)
      stream.write('part')
      setTimeout(() => stream.destroy(new Error('broken')), 50)
    } else {
      stream.respond(grpc, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': 0 }))
      stream.pipe(stream)
    }
  })
  const { port } = await listening(t, server)
  run.catalog.set('shop:web', { ...at(port), protocol: 'h2c' })
  const secure = await session(t, run)
  const plain = await session(t, run, 'http')
  for (const client of [secure, plain]) {
    const call = { ':method': 'POST', ':path': '/shop.Stock/Watch', te: 'trailers', 'content-type': 'application/grpc' }
    const stream = client.request({ ':authority': 'shop.localhost', ...call })
    await once(stream, 'response')
    for (const word of ['one', 'two']) {
      stream.write(word)
      const [piece]: Buffer[] = await once(stream, 'data')
      t.equal(piece?.toString(), word, 'a call whose messages go both ways')
    }
    const trailers = once(stream, 'trailers')
    stream.end()
    t.match(await trailers, [{ 'grpc-status': '0' }])
    stream.resume()
    t.match(await ask(client, { ...call, ':path': '/shop.Stock/Missing' }, 'x'), {
      status: 200,
      headers: { 'grpc-status': '5', 'grpc-message': 'no such thing' },
    })
    await t.rejects(ask(client, { ...call, ':path': '/break' }, 'x'), { code: 'ERR_HTTP2_STREAM_ERROR' })
  }
  t.match(seen[0], { te: 'trailers', 'x-forwarded-proto': 'https', ':authority': 'shop.localhost' })
  t.equal(sessions.size, 1, 'over one connection')
  const big = 'x'.repeat(3_000_000)
  const old = await get(run.port, 'shop.localhost', '/old', { method: 'POST', body: big })
  t.equal(old.body.length, big.length, 'HTTP/1.1 clients reach it, too')
  t.match(old.res.trailers, { 'grpc-status': '0' })
  t.equal((await get(run.port, 'shop.localhost', '/shop.Stock/Missing')).header('grpc-status'), '5')
  for (const made of sessions) made.destroy()
  await eventually(() => sessions.size === 0, 'its connections are gone')
  t.match(await ask(secure, { ':method': 'POST' }, 'again'), { body: 'again' }, 'and made anew')
  run.catalog.set('shop:web', { ...at(await unused()), protocol: 'h2c' })
  t.match(await ask(secure, { ':method': 'POST' }, 'x'), { status: 502, body: /nothing listens/ })
  t.match(await get(run.port, 'shop.localhost'), { status: 502, body: /nothing listens/ })
})

t.test('a service that speaks h2c and takes no more', { timeout: 30_000 }, async t => {
  await t.test(
    'uses a new connection after the old one was idle too long, but keeps one with an open stream',
    async t => {
      const run = await boot(t, { https: true, limits: { upstreamIdle: 200 } })
      const server = http2.createServer()
      const sessions: http2.ServerHttp2Session[] = []
      server.on('session', made => {
        sessions.push(made)
        // Servers other than Node's do not send GOAWAY in turn.
        made.close = () => undefined
      })
      server.on('stream', stream => {
        stream.on('error', () => undefined)
        stream.respond({ ':status': 200 })
        stream.pipe(stream)
      })
      const { port } = await listening(t, server)
      run.catalog.set('shop:web', { ...at(port), protocol: 'h2c' })
      const open = http.request({ port: run.port, headers: { host: 'shop.localhost' }, method: 'POST' })
      open.on('error', () => undefined)
      t.teardown(() => open.destroy())
      open.flushHeaders()
      // Its head does not wait for a body.
      const [response]: http.IncomingMessage[] = await once(open, 'response', { signal: AbortSignal.timeout(deadline) })
      await new Promise(resolve => setTimeout(resolve, 500))
      t.match(await ask(await session(t, run), { ':method': 'POST' }, 'x'), { status: 200, body: 'x' })
      t.equal(sessions.length, 1, 'kept for its open stream')
      const goaway = once(sessions[0] ?? server, 'goaway', { signal: AbortSignal.timeout(deadline) })
      open.end()
      response?.resume()
      await goaway
      t.match(await ask(await session(t, run), { ':method': 'POST' }, 'x'), { status: 200, body: 'x' })
      t.equal(sessions.length, 2, 'a new one')
    },
  )

  await t.test('not at all', async t => {
    const run = await boot(t, { https: true, limits: { grace: 50 } })
    const server = http2.createServer()
    let streams = 0
    server.on('stream', stream => {
      streams++
      stream.on('error', () => undefined)
      stream.close(http2.constants.NGHTTP2_REFUSED_STREAM)
    })
    const { port } = await listening(t, server)
    run.catalog.set('shop:web', { ...at(port), protocol: 'h2c' })
    t.match(await ask(await session(t, run)), { status: 502 })
    t.equal(streams, 2, 'asked twice')
  })
})

t.test('a service that speaks h2c and resets its streams without an error', { timeout: 30_000 }, async t => {
  const run = await boot(t, { limits: { grace: 50 } })
  const server = http2.createServer()
  const reset = gate()
  // It never reads what it is sent.
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined)
    const end = (): void => {
      stream.close(http2.constants.NGHTTP2_NO_ERROR)
      reset.open()
    }
    if (headers[':path'] === '/none') return void setTimeout(end, 50)
    stream.respond({ ':status': 200 })
    stream.write(Buffer.alloc(200_000), end)
  })
  const first = once(server, 'session')
  const { port } = await listening(t, server)
  run.catalog.set('shop:web', { ...at(port), protocol: 'h2c' })
  const client = await session(t, run, 'http')
  const before = connections()
  const upload = { method: 'POST', body: 'x'.repeat(300_000) }
  t.match(await get(run.port, 'shop.localhost', '/none', upload), { status: 502 }, 'before an answer')
  const slow = client.request({ ':method': 'POST', ':authority': 'shop.localhost', ':path': '/' })
  slow.on('error', () => undefined)
  await once(slow, 'response', { signal: AbortSignal.timeout(deadline) })
  await reset.promise
  slow.close(http2.constants.NGHTTP2_CANCEL)
  await once(slow, 'close')
  const [made]: http2.ServerHttp2Session[] = await first
  made?.destroy()
  await eventually(() => connections() <= before, 'its connection ends')
  t.pass('and its connection ends')
})

t.test('a client that resets its upload', async t => {
  const run = await boot(t, { https: true })
  const { NGHTTP2_NO_ERROR, NGHTTP2_CANCEL } = http2.constants
  for (const code of [NGHTTP2_NO_ERROR, NGHTTP2_CANCEL]) {
    const arrived = gate()
    const left = gate()
    let heard = ''
    const service = await raw(t, socket => {
      socket.on('error', left.open).once('end', left.open)
      socket.on('data', piece => {
        heard += piece.toString('latin1')
        if (heard.includes('a part')) arrived.open()
      })
    })
    run.catalog.set('shop:web', at(service.port))
    const client = await speaker(t, run)
    const head = Buffer.concat([Buffer.of(0x83, 0x87, 0x84), field(':authority', 'shop.localhost')])
    client.write(Buffer.concat([frame('headers', 4, 1, head), frame('data', 0, 1, Buffer.from('a part'))]))
    await arrived.promise
    client.write(frame('reset', 0, 1, Buffer.of(0, 0, 0, code)))
    await left.promise
    t.match(heard, /a part\r\n$/, `code ${code}: its end is not taken for the end of the body`)
  }
})

t.test('redirects to HTTPS where that is wished', async t => {
  const run = await boot(t, { https: true, options: { redirect: true } })
  const service = await serve(t, (_req, res) => res.end('x'))
  run.catalog.set('shop:web', at(service.port))
  run.catalog.set('shop:blog', { ...at(service.port), hosts: ['blog.example.com'] })
  for (const method of ['GET', 'POST']) {
    const got = await get(run.port, `shop.localhost:${run.port}`, '/a?b', {
      method,
      body: method === 'POST' ? 'x' : '',
    })
    t.equal(got.status, 308)
    t.equal(got.header('location'), `https://shop.localhost:${run.securePort}/a?b`)
  }
  t.equal((await get(run.port, 'blog.example.com')).status, 200, 'not where there is no certificate')
  t.match(await ask(await session(t, run)), { body: 'x' })
})

t.test('Chromium', { timeout: 90_000, skip: noBrowser }, async t => {
  const run = await boot(t, { https: true })
  const service = await serve(t, (req, res) => {
    if (req.url === '/events')
      return void res.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('data: one\n\n')
    if (req.url !== '/') return void res.end(`export default ${JSON.stringify(req.url)}`)
    res.setHeader('Content-Type', 'text/html')
    res.end('<!doctype html><title>it</title>')
  })
  const sockets = new WebSocketServer({ server: service })
  const asked: (string | undefined)[] = []
  sockets.on('connection', (socket, req) => {
    asked.push(req.headers['x-forwarded-proto']?.toString())
    socket.on('message', data => socket.send(`${data} back`))
  })
  run.catalog.set('shop:web', at(service.port))
  const folder = run.caFolder
  const home = join(folder, '..', 'home')
  mkdirSync(join(home, '.config', 'chromium'), { recursive: true })
  const path = process.env['PATH'] ?? ''
  const trust = new Trust({ os: 'linux', uid: 1000, root: home, home, path, native: home }, folder)
  await trust.trust()
  if ((await trust.checkStores('chromium')).status !== 'pass') {
    return void t.pass('', { skip: 'certutil is not installed' })
  }
  const browser = await openBrowser(t, { HOME: home })
  const page = await browser.newPage()
  const problems: string[] = []
  page.on('console', message => problems.push(message.text()))
  page.on('pageerror', error => problems.push(error.message))
  await page.goto(`https://web.shop.localhost:${run.securePort}/`)
  t.equal(await page.title(), 'it', 'no warning stands before the page')
  const found: unknown = await page.evaluate(`(async () => {
    const socket = new WebSocket(location.href.replace('https', 'wss'))
    await new Promise((resolve, reject) => { socket.onopen = resolve; socket.onerror = reject })
    const word = await new Promise(resolve => { socket.onmessage = event => resolve(event.data); socket.send('there and') })
    const event = await new Promise(resolve => { new EventSource('/events').onmessage = event => resolve(event.data) })
    const texts = await Promise.all(Array.from({ length: 300 }, (_, i) => fetch('/' + (i + 1)).then(answer => answer.text())))
    const [entry] = performance.getEntriesByType('navigation')
    return { word, event, good: texts.filter(text => text.startsWith('export')).length, protocol: entry.nextHopProtocol }
  })()`)
  t.strictSame(found, { word: 'there and back', event: 'one', good: 300, protocol: 'h2' })
  t.strictSame(asked, ['https'])
  t.strictSame(problems, [])
  sockets.close()
})

t.test('closing', async t => {
  const run = await boot(t, { https: true, limits: { closing: 300 } })
  const finish = gate()
  const arrived = gate()
  const service = await serve(t, async (req, res) => {
    if (req.url === '/forever') return void res.write('x')
    arrived.open()
    await finish.promise
    res.end('finished')
  })
  run.catalog.set('shop:web', at(service.port))
  const client = await session(t, run)
  const forever = client.request({ ':authority': 'shop.localhost', ':path': '/forever' })
  forever.on('error', () => undefined)
  await once(forever, 'data')
  const soon = ask(client, { ':path': '/soon' })
  await arrived.promise
  const closed = once(forever, 'close')
  const closing = run.close()
  finish.open()
  t.equal((await soon).body, 'finished', 'what is in flight may finish')
  await closing
  await closed
  t.ok(forever.rstCode !== 0 || client.destroyed, 'the rest is cut')
})
