import { spawn } from 'node:child_process'
import { once } from 'node:events'
import http from 'node:http'
import net, { type Socket } from 'node:net'
import t from 'tap'
import { AsyncSeriesHook } from 'tapable'
import { WebSocket, WebSocketServer } from 'ws'
import type { Check } from '../../../kernel/contract/plugin.ts'
import proxyPlugin from '../../../plugins/proxy/index.ts'
import {
  at,
  boot,
  eventually,
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
} from './harness.ts'

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
    t.match(got.body, /passed through locald 5 times and returned to loop.localhost/)
    t.match(got.body, /changeOrigin/)
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
      summary: `listening on 127.0.0.1:${run.port} and [::1]:${run.port}`,
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
    t.match(run.log, [`error HTTP proxy is not running: port ${other.port} is in use`])
    t.match(await check(run, 'proxy-http'), {
      status: 'fail',
      summary: `HTTP proxy is not running: port ${other.port} is in use by nginx (pid 12)`,
    })
    t.match(run.warnings(), [
      { message: `HTTP proxy is not running: port ${other.port} is in use`, hint: /locald doctor/ },
    ])
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
      t.match(bad.log, [/^error HTTP proxy is not running: LOCALD_HTTP_PORT/])
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
      summary: `listening on ${second.port}: port 8080 is in use by someone`,
    })
    const privileged = await boot(t, { env: '', features: ['privileged-ports'] })
    if (privileged.port === 80) t.equal(privileged.web.url('shop.localhost'), 'http://shop.localhost')
    else t.match(await check(privileged, 'proxy-port'), { status: 'warn', summary: /because 80 / })
  })

  await t.test('a program on all addresses, which macOS lets have the port too, is named', async t => {
    const run = await boot(t, { overshadowed: 'python3 (pid 812)' })
    t.match(await check(run, 'proxy-http'), {
      status: 'warn',
      summary:
        /^listening on .*; python3 \(pid 812\) listens on the same port of all addresses and gets no loopback connections/,
      fix: /^Change the port of python3 \(pid 812\), or set LOCALD_HTTP_PORT/,
    })
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
