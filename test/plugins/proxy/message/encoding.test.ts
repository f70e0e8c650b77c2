import { once } from 'node:events'
import net from 'node:net'
import t, { type Test } from 'tap'
import { field, frame, kinds, preface, readFrames, request } from '../http2/frames.ts'
import { boot } from '../lib/boot.ts'
import { wire } from '../lib/client.ts'
import { at, raw } from '../lib/services.ts'

/** Returns a text's bytes, a character for each. */
function latin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}

// Each is shorter in HPACK as it is than in Huffman's code, so that it can be looked for on the wire. A \u010d would
// become a CR where it were cut to a byte, \u00e0 ends in the byte of a no-break space; the last is Latin-1, not UTF-8.
const values = [latin1('\u00fa\u010det\u00fa\u010det\u6f22\u5b57'), latin1('\u00e9\u2603\u00e0'), '\xe9\xe8\xe9']
const answered = values.map(value => value.split('').reverse().join(''))
const disposition = `inline; filename="${values[0]}"`

/**
 * Starts a service that reads a request of any length, and responds with a field for each value; returns what it has
 * read.
 */
async function serveHttp1(t: Test): Promise<{ readonly port: number; readonly seen: () => string }> {
  let seen = ''
  const lines = answered.map((value, i) => `X-A${i}: ${value}\r\n`).join('')
  const trailer = `X-Sum: ${answered[0]}\r\n`
  const server = await raw(t, socket => {
    socket.setEncoding('latin1').on('data', (text: string) => {
      seen += text
      const whole = /\r\n\r\n$/.test(seen) && (!seen.includes('chunked') || /\r\n0\r\n(.+\r\n)*\r\n$/.test(seen))
      if (!whole) return
      const framing = seen.startsWith('POST')
        ? `Content-Length: 2\r\nContent-Disposition: ${disposition}\r\n${lines}\r\nok`
        : `Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n${lines}\r\n2\r\nok\r\n0\r\n${trailer}\r\n`
      socket.write(`HTTP/1.1 200 OK\r\n${framing}`, 'latin1')
    })
  })
  return { port: server.port, seen: () => seen }
}

/** Starts the same service for HTTP/2, by raw frames. */
async function serveHttp2(t: Test): Promise<{ readonly port: number; readonly seen: () => string }> {
  let seen = ''
  const server = await raw(t, socket => {
    socket.write(frame('settings', 0, 0))
    readFrames(socket, preface.length, ({ type, flags, stream, payload }) => {
      if (type === kinds.settings && flags === 0) socket.write(frame('settings', 1, 0))
      if (type === kinds.headers) seen += payload.toString('latin1')
      if ((type !== kinds.headers && type !== kinds.data) || (flags & 1) === 0) return
      const fields = answered.map((value, i) => field(`x-a${i}`, value))
      const head = Buffer.concat([Buffer.of(0x88), field('content-disposition', disposition), ...fields])
      const trailers = field('x-sum', answered[0] ?? '')
      const body = frame('data', 0, stream, Buffer.from('ok'))
      socket.write(Buffer.concat([frame('headers', 4, stream, head), body, frame('headers', 5, stream, trailers)]))
    })
  })
  return { port: server.port, seen: () => seen }
}

type Method = 'GET' | 'POST'
const fields = values.map((value, i) => [`x-q${i}`, value] as const)

/** Sends a request over HTTP/1.1, and returns all bytes of the response. */
async function sendOverHttp1(t: Test, port: number, method: Method): Promise<string> {
  const client = wire(t, port)
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  const framing = method === 'POST' ? `Trailer: x-t\r\nTransfer-Encoding: chunked\r\n` : ''
  const body = method === 'POST' ? `2\r\nhi\r\n0\r\nx-t: ${values[0]}\r\n\r\n` : ''
  client.send(
    `${method} / HTTP/1.1\r\nHost: shop.localhost\r\nTE: trailers\r\n${lines}${framing}Connection: close\r\n\r\n${body}`,
  )
  return client.end()
}

/** Sends a request over HTTP/2, frame by frame, and returns all bytes of the heads and trailers. */
async function sendOverHttp2(t: Test, port: number, method: Method): Promise<string> {
  const socket = net.connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  await once(socket, 'connect')
  let text = ''
  const closed = new Promise<void>((resolve, reject) => {
    socket.once('close', () => reject(new Error('closed')))
    readFrames(socket, 0, ({ type, flags, stream, payload }) => {
      if (type === kinds.headers) text += payload.toString('latin1')
      if (type === kinds.reset || type === kinds.goaway) reject(new Error(`reset: ${payload.toString('hex')}`))
      if (stream === 1 && (type === kinds.headers || type === kinds.data) && (flags & 1) === 1) resolve()
    })
  })
  // RFC 7541 appendix A: 2 is :method GET, 3 is POST, 4 is :path with the literal value that follows.
  const start = Buffer.concat([Buffer.of(method === 'GET' ? 0x82 : 0x83, 0x86), field(':path', `/${values[1]}`)])
  const rest = [field('te', 'trailers'), ...fields.map(([name, value]) => field(name, value))]
  const head = Buffer.concat([start, request.subarray(3), ...rest])
  const upload = [frame('data', 0, 1, Buffer.from('hi')), frame('headers', 5, 1, field('x-t', values[0] ?? ''))]
  const more = method === 'POST' ? upload : []
  socket.write(
    Buffer.concat([preface, frame('settings', 0, 0), frame('headers', more.length > 0 ? 4 : 5, 1, head), ...more]),
  )
  await closed
  return text
}

t.test('forwards header values byte by byte, by any version of HTTP on either side', async t => {
  const run = await boot(t)
  for (const [protocol, serve] of [
    ['http', serveHttp1],
    ['h2c', serveHttp2],
  ] as const) {
    for (const ask of [sendOverHttp1, sendOverHttp2]) {
      for (const method of ['GET', 'POST'] as const) {
        const what = `${ask.name}, ${method}, ${protocol}`
        // A new connection: HTTP/2 sends repeated fields by index.
        const service = await serve(t)
        run.catalog.set('shop:web', { ...at(service.port), protocol })
        const answer = await ask(t, run.port, method)
        for (const value of answered) t.ok(answer.includes(value), `response, ${what}: ${Buffer.from(value, 'latin1')}`)
        if (protocol === 'h2c' || method === 'POST') t.ok(answer.includes(values[0] ?? ''), `file name, ${what}`)
        if (protocol === 'h2c' || method === 'GET')
          t.equal(answer.split(answered[0] ?? '').length, 3, `trailer, ${what}`)
        const seen = service.seen()
        for (const value of values) t.ok(seen.includes(value), `request, ${what}: ${Buffer.from(value, 'latin1')}`)
        if (ask === sendOverHttp2) t.ok(seen.includes(`/${values[1]}`), `path, ${what}`)
        if (method === 'POST') t.equal(seen.split(values[0] ?? '').length, 3, `trailer of the request, ${what}`)
      }
    }
  }
})
