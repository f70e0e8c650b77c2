import { once } from 'node:events'
import http2 from 'node:http2'
import { connect as tlsConnect } from 'node:tls'
import t from 'tap'
import { boot } from '../lib/boot.ts'
import { at, raw, serve } from '../lib/services.ts'
import { latch } from '../lib/wait.ts'
import { ask, session } from './client.ts'
import { field, frame, speaker } from './frames.ts'

t.test('HTTP/2 streams', async t => {
  const run = await boot(t, { https: true })
  const { catalog } = run
  catalog.project('shop')
  const client = await session(t, run)

  await t.test('forwards both directions at the same time, events as they are sent, and resets', async t => {
    const left = latch()
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
    const arrived = latch()
    const dropped = latch()
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

  await t.test('cancels all streams of a client that closes its half', async t => {
    const left = latch()
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
    // Its streams are open and idle: only the end can be noticed.
    socket.end()
    await left.promise
  })

  await t.test('never completes a response that is cut off', async t => {
    for (const answer of ['Content-Length: 100\r\n\r\npart', 'Transfer-Encoding: chunked\r\n\r\n4\r\npart\r\n']) {
      const service = await raw(t, socket => {
        socket.once('data', () => socket.write(`HTTP/1.1 200 OK\r\n${answer}`))
        setTimeout(() => socket.end(), 100)
      })
      catalog.set('shop:web', at(service.port))
      await t.rejects(ask(client), { code: 'ERR_HTTP2_STREAM_ERROR' })
    }
  })

  await t.test('stops the upload after an early response, and continues the other streams', async t => {
    const service = await serve(t, (req, res) => {
      if (req.method === 'POST') res.writeHead(413).end('too much')
      else res.end('next')
    })
    catalog.set('shop:web', at(service.port))
    t.match(await ask(client, { ':method': 'POST' }, Buffer.alloc(2_000_000)), { status: 413, body: 'too much' })
    t.match(await ask(client), { body: 'next' })
  })

  await t.test('applies backpressure for slow readers', async t => {
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

t.test('cancels an upload that the client resets', async t => {
  const run = await boot(t, { https: true })
  const { NGHTTP2_NO_ERROR, NGHTTP2_CANCEL } = http2.constants
  for (const code of [NGHTTP2_NO_ERROR, NGHTTP2_CANCEL]) {
    const arrived = latch()
    const left = latch()
    let received = ''
    const service = await raw(t, socket => {
      socket.on('error', left.open).once('end', left.open)
      socket.on('data', piece => {
        received += piece.toString('latin1')
        if (received.includes('a part')) arrived.open()
      })
    })
    run.catalog.set('shop:web', at(service.port))
    const client = await speaker(t, run)
    const head = Buffer.concat([Buffer.of(0x83, 0x87, 0x84), field(':authority', 'shop.localhost')])
    client.write(Buffer.concat([frame('headers', 4, 1, head), frame('data', 0, 1, Buffer.from('a part'))]))
    await arrived.promise
    client.write(frame('reset', 0, 1, Buffer.of(0, 0, 0, code)))
    await left.promise
    t.match(received, /a part\r\n$/, `code ${code}: the body is not taken for complete`)
  }
})
