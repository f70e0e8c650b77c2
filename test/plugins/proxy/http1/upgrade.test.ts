import { once } from 'node:events'
import http from 'node:http'
import net, { type Socket } from 'node:net'
import t from 'tap'
import { WebSocket, WebSocketServer } from 'ws'
import { freePort } from '../../../lib/ports.ts'
import { boot } from '../lib/boot.ts'
import { textOf, wire } from '../lib/client.ts'
import { at, listening, raw, serve } from '../lib/services.ts'
import { eventually } from '../lib/wait.ts'

t.test('upgrades', async t => {
  const { port, catalog } = await boot(t)

  await t.test('tunnels a WebSocket: text, binary, close codes, by name and by path', async t => {
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
    await eventually(() => seen.length === 1, 'the service sees the client disconnect')
    const dropped = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { host: 'live.shop.localhost' } })
    await once(dropped, 'open')
    for (const socket of sockets.clients) socket.terminate()
    await once(dropped, 'close')
    sockets.close()
  })

  const ask = (path: string, more = ''): string =>
    `GET ${path} HTTP/1.1\r\nHost: shop.localhost\r\nConnection: Upgrade\r\nUpgrade: Echo/1\r\n${more}\r\n`

  await t.test('tunnels any protocol, with early bytes and half closes', async t => {
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
    await eventually(() => heads.at(-1) === 'still here', 'a service that closed its half still reads')
  })

  await t.test('forwards the response when the service declines, and closes', async t => {
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

  await t.test('serves h2c upgrades, and those with a body, as plain requests', async t => {
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
    t.notOk(client.isHalfClosed, 'the connection stays')
  })

  await t.test('holds one for a starting service, and keeps its early bytes', async t => {
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
    catalog.set('shop:web', at(await freePort()))
    t.match(await wire(t, port).send(ask('/')).end(), /^HTTP\/1.1 502 .*nothing listens/s)
    t.match(await wire(t, port).send(ask('/').replace('shop.localhost', 'x.localhost')).end(), /^HTTP\/1.1 404/)
    t.match(await wire(t, port).send(ask('/').replace('Host', 'Nohost')).end(), /^HTTP\/1.1 400/)
  })

  await t.test('retries a handshake once when its service restarts meanwhile', async t => {
    const seen: string[] = []
    const service = await raw(t, socket => {
      socket.once('data', data => {
        seen.push(data.toString('latin1'))
        if (seen.length > 1) return void socket.end('HTTP/1.1 101 Go\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nhello')
        catalog.set('shop:web', { status: 'restarting', reason: 'a.js changed' })
        socket.destroy()
        setTimeout(() => catalog.set('shop:web', at(service.port)), 100)
      })
    })
    catalog.set('shop:web', at(service.port))
    t.match(
      await wire(t, port)
        .send(`${ask('/')}early`)
        .end(),
      /^HTTP\/1.1 101 .*hello$/s,
    )
    t.equal(seen.length, 2)
  })

  await t.test('applies backpressure', async t => {
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
