import { createHash } from 'node:crypto'
import { once } from 'node:events'
import http2, { type IncomingHttpHeaders } from 'node:http2'
import t, { type Test } from 'tap'
import { boot, type Running } from '../lib/boot.ts'
import { textOf, wire } from '../lib/client.ts'
import { at, listening, raw } from '../lib/services.ts'
import { deadline } from '../lib/wait.ts'

/** Starts a service that sends a fixed response to any request. */
async function serveBytes(t: Test, run: Running, answer: (request: string) => string): Promise<void> {
  const service = await raw(t, socket => {
    socket.once('data', data => socket.write(Buffer.from(answer(data.toString('latin1')), 'latin1')))
    socket.once('end', () => socket.end())
  })
  run.catalog.set('shop:web', at(service.port))
}

interface Http2Response {
  readonly interim: readonly IncomingHttpHeaders[]
  readonly headers: IncomingHttpHeaders
  readonly raw: readonly string[]
  readonly trailers: IncomingHttpHeaders
  readonly body: string
}

async function ask(t: Test, run: Running, headers: http2.OutgoingHttpHeaders = {}): Promise<Http2Response> {
  const session = http2.connect(`http://127.0.0.1:${run.port}`)
  t.teardown(() => session.destroy())
  const options = { endStream: headers[':protocol'] === undefined }
  if (!options.endStream) await once(session, 'remoteSettings', { signal: AbortSignal.timeout(deadline) })
  const stream = session.request({ ':authority': 'shop.localhost', ...headers }, options)
  const interim: IncomingHttpHeaders[] = []
  let trailers: IncomingHttpHeaders = {}
  stream.on('headers', (fields: IncomingHttpHeaders) => interim.push(fields))
  stream.on('trailers', (fields: IncomingHttpHeaders) => {
    trailers = fields
  })
  const [fields, , lines] = await once(stream, 'response', { signal: AbortSignal.timeout(deadline) })
  if (!options.endStream) stream.end()
  const closed = once(stream, 'close', { signal: AbortSignal.timeout(deadline) })
  const body = await textOf(stream)
  await closed
  return { interim, headers: fields, raw: lines, trailers, body }
}

const repeated = 'ETag: "1"\r\nETag: "2"\r\nX-A: 1\r\nX-A: 2\r\n'

t.test('joins fields that node:http2 accepts only once', async t => {
  const run = await boot(t)
  await serveBytes(
    t,
    run,
    () =>
      `HTTP/1.1 103 Early Hints\r\n${repeated}\r\nHTTP/1.1 200 OK\r\nTrailer: ETag\r\n${repeated}Transfer-Encoding: chunked\r\n\r\n` +
      `2\r\nhi\r\n0\r\n${repeated}\r\n`,
  )
  const { interim, headers, raw, trailers, body } = await ask(t, run)
  t.match(interim, [{ ':status': 103, etag: '"1", "2"' }])
  t.match(headers, { ':status': 200, etag: '"1", "2"' })
  t.strictSame(
    raw.filter((_, i) => raw[i - (i % 2)] === 'x-a'),
    ['x-a', '1', 'x-a', '2'],
    'others stay on theirs',
  )
  t.match(trailers, { etag: '"1", "2"' })
  t.equal(body, 'hi')
})

t.test('forwards fields named like properties of every object', async t => {
  const run = await boot(t)
  const odd = ['__proto__', 'constructor', 'tostring', 'length']
  const lines = odd.map(name => `${name}: 1\r\n`).join('')
  await serveBytes(t, run, () => `HTTP/1.1 200 OK\r\n${lines}Content-Length: 2\r\n\r\nhi`)
  const { raw } = await ask(t, run)
  for (const name of odd) t.equal(raw[raw.indexOf(name) + 1], '1', name)
})

t.test('discards a body after 205', async t => {
  const run = await boot(t)
  for (const body of ['Content-Length: 2\r\n\r\nhi', 'Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n']) {
    await serveBytes(t, run, () => `HTTP/1.1 205 Reset\r\n${body}`)
    const got = await ask(t, run)
    t.match(got, { headers: { ':status': 205 }, body: '' })
  }
})

t.test('accepts a WebSocket whose head has such fields', async t => {
  const run = await boot(t)
  await serveBytes(t, run, request => {
    const key = /^sec-websocket-key: (.*)\r$/im.exec(request)?.[1] ?? ''
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
    const asked = `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n`
    return `HTTP/1.1 101 Go\r\n${asked}${repeated}\r\n`
  })
  const { headers } = await ask(t, run, {
    ':method': 'CONNECT',
    ':protocol': 'websocket',
    ':scheme': 'http',
    ':path': '/',
  })
  t.match(headers, { ':status': 200, etag: '"1", "2"' })
})

t.test('forwards such fields to a service that speaks h2c', async t => {
  const run = await boot(t)
  const seen: IncomingHttpHeaders[] = []
  const server = http2.createServer()
  server.on('stream', (stream, headers) => {
    seen.push(headers)
    stream.respond({ ':status': 200 }, { endStream: true })
  })
  run.catalog.set('shop:web', { ...at((await listening(t, server)).port), protocol: 'h2c' })
  const client = wire(t, run.port)
  client.send('GET / HTTP/1.1\r\nHost: shop.localhost\r\nUser-Agent: a\r\nUser-Agent: b\r\nconstructor: c\r\n\r\n')
  t.match(await client.has('\r\n\r\n'), /^HTTP\/1.1 200 /)
  t.match(seen, [{ 'user-agent': 'a, b', constructor: 'c' }])
})
