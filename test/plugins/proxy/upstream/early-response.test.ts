import { spawn } from 'node:child_process'
import { once } from 'node:events'
import http, { type IncomingMessage } from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import { connect as tlsConnect } from 'node:tls'
import t, { type Test } from 'tap'
import { boot, type Running } from '../lib/boot.ts'
import { textOf } from '../lib/client.ts'
import { at, raw } from '../lib/services.ts'
import { deadline } from '../lib/wait.ts'

/**
 * A service in a separate process: it responds as soon as it has a head, and closes with the rest of the request
 * unread.
 */
const earlyServer = `
require('node:net').createServer(socket => {
  socket.on('error', () => undefined)
  socket.once('data', data => {
    socket.pause()
    const body = '5\\r\\nearly\\r\\n0\\r\\n\\r\\n'
    const head = 'HTTP/1.1 413 Too Large\\r\\nConnection: close\\r\\n'
    const framing = data.includes('/chunks') ? 'Transfer-Encoding: chunked\\r\\n\\r\\n' + body : 'Content-Length: 5\\r\\n\\r\\nearly'
    socket.write(head + framing, () => setTimeout(() => socket.destroy(), data.includes('/later') ? 20 : 0))
  })
}).listen(0, '127.0.0.1', function () { console.log(this.address().port) })`

async function startService(t: Test): Promise<number> {
  const child = spawn(process.execPath, ['-e', earlyServer], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill())
  const [port]: Buffer[] = await once(child.stdout, 'data', { signal: AbortSignal.timeout(deadline) })
  return Number(port)
}

const size = 4_000_000
const piece = Buffer.alloc(64 * 1024, 'x')

/** Uploads until a response arrives. */
async function upload(run: Running, path: string, hasLength: boolean, secure: boolean): Promise<string> {
  const headers = { host: 'shop.localhost', ...(hasLength ? { 'content-length': size } : {}) }
  const signal = AbortSignal.timeout(deadline)
  const options = { host: '127.0.0.1', method: 'POST', path, agent: false, headers, signal }
  const req = secure
    ? https.request({ ...options, port: run.securePort, ca: run.ca, servername: 'shop.localhost' })
    : http.request({ ...options, port: run.port })
  let isAnswered = false
  const pour = (left: number): void => {
    if (isAnswered) return
    if (left <= piece.length) req.end(piece.subarray(0, left))
    else req.write(piece, () => pour(left - piece.length))
  }
  pour(size)
  const [res]: IncomingMessage[] = await once(req, 'response')
  isAnswered = true
  const answer = res === undefined ? '' : `${res.statusCode} ${await textOf(res)}`
  req.destroy()
  return answer
}

t.test('forwards an early response of a service that closes during an upload', { timeout: 60_000 }, async t => {
  const run = await boot(t, { https: true })
  run.catalog.set('shop:web', at(await startService(t)))
  for (const path of ['/', '/chunks', '/later']) {
    for (const hasLength of [true, false]) {
      for (const secure of [false, true]) {
        const answers = new Set<string>()
        for (let i = 0; i < 10; i++) answers.add(await upload(run, path, hasLength, secure))
        t.strictSame([...answers], ['413 early'], `${path}, ${hasLength ? 'length' : 'chunks'}, TLS: ${secure}`)
      }
    }
  }
  const session = http2.connect(`https://shop.localhost:${run.securePort}`, {
    createConnection: () =>
      tlsConnect({
        ...{ host: '127.0.0.1', port: run.securePort, ca: run.ca },
        ...{ servername: 'shop.localhost', ALPNProtocols: ['h2'] },
      }),
  })
  t.teardown(() => session.destroy())
  for (const path of ['/', '/chunks', '/later']) {
    for (const hasLength of [true, false]) {
      const answers = new Set<string>()
      for (let i = 0; i < 10; i++) {
        const headers = hasLength ? { 'content-length': size } : {}
        const stream = session.request({ ':method': 'POST', ':path': path, ...headers })
        const pour = (left: number): void => {
          if (!stream.writable) return
          if (left <= piece.length) stream.end(piece.subarray(0, left))
          else stream.write(piece, () => pour(left - piece.length))
        }
        pour(size)
        const [got] = await once(stream, 'response', { signal: AbortSignal.timeout(deadline) })
        answers.add(`${got[':status']} ${await textOf(stream)}`)
      }
      t.strictSame([...answers], ['413 early'], `${path}, ${hasLength ? 'length' : 'no length'}, HTTP/2`)
    }
  }
})

t.test('resets the upload of an HTTP/2 client after an early response', async t => {
  const run = await boot(t)
  const service = await raw(t, socket => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n')
      socket.write('5\r\nearly\r\n0\r\nX-Sum: 7\r\n\r\n')
    })
  })
  run.catalog.set('shop:web', at(service.port))
  const session = http2.connect(`http://127.0.0.1:${run.port}`)
  t.teardown(() => session.destroy())
  for (const te of [{}, { te: 'trailers' }]) {
    const stream = session.request({ ':method': 'POST', ':authority': 'shop.localhost', ...te })
    stream.write('a part')
    let sum: unknown
    stream.on('trailers', trailers => {
      sum = trailers['x-sum']
    })
    const closed = once(stream, 'close', { signal: AbortSignal.timeout(deadline) })
    t.equal(await textOf(stream), 'early')
    await closed
    t.equal(stream.rstCode, http2.constants.NGHTTP2_NO_ERROR)
    t.equal(sum, '7', 'with the trailers that were announced')
  }
})
