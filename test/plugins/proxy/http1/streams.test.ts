import { once } from 'node:events'
import http, { type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import t from 'tap'
import { boot } from '../lib/boot.ts'
import { textOf, wire } from '../lib/client.ts'
import { at, raw, serve } from '../lib/services.ts'
import { eventually, latch } from '../lib/wait.ts'

t.test('streams of HTTP/1.1', async t => {
  const { port, catalog } = await boot(t)

  await t.test('forwards both directions at the same time', async t => {
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
    t.notOk(client.isHalfClosed, 'and the connection stays')
  })

  await t.test('forwards server-sent events as they are sent', async t => {
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

  await t.test('cancels the request of a client that disconnects', async t => {
    for (const when of ['before the response', 'during the response', 'during the upload'] as const) {
      const arrived = latch()
      const left = latch()
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

  await t.test('cancels all pipelined requests of a client that disconnects', async t => {
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

  await t.test('never completes a response that the service cuts off', async t => {
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
        if (version === '1.0') t.ok(client.error, 'a body framed by the connection is reset')
      }
    }
  })

  await t.test('stops the upload and keeps the connection after an early response', async t => {
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

  await t.test('applies backpressure for slow readers instead of buffering', async t => {
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
