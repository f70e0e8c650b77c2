import { createHash } from 'node:crypto'
import { once } from 'node:events'
import http2 from 'node:http2'
import type { Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { get, wire } from '../lib/client.ts'
import { at, raw, serve } from '../lib/services.ts'
import { eventually } from '../lib/wait.ts'
import { type Inspected, inspected } from './harness.ts'

/** A service that keeps the bytes of every request, whole, and responds when it has them all. */
async function recordingService(t: Tap, proxy: Inspected) {
  const requests: string[] = []
  const server = await raw(t, (socket: Socket) => {
    let text = ''
    socket.setEncoding('latin1')
    socket.on('data', (data: string) => {
      text += data
      if (!isWhole(text)) return
      requests.push(text)
      text = ''
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    })
  })
  proxy.catalog.project('shop')
  proxy.catalog.set('shop:web', at(server.port))
  return requests
}

type Tap = Parameters<typeof raw>[0]

function isWhole(text: string): boolean {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return false
  const head = text.slice(0, end).toLowerCase()
  if (head.includes('transfer-encoding: chunked')) return /\r\n0\r\n(?:[^\r\n]+\r\n)*\r\n$/.test(text)
  return text.length - end - 4 === Number(/content-length: (\d+)/.exec(head)?.[1] ?? 0)
}

const boundary = 'x-y-z'
const multipart = `--${boundary}\r\nContent-Disposition: form-data; name="a"; filename="ä.bin"\r\n\r\n\x00\xff\x80\r\n--${boundary}--\r\n`
const bodies: Readonly<Record<string, { readonly bytes: Buffer; readonly fields: string }>> = {
  text: { bytes: Buffer.from('hällo'), fields: 'Content-Type: text/plain\r\n' },
  gzip: { bytes: gzipSync('{"a":1}'), fields: 'Content-Type: application/json\r\nContent-Encoding: gzip\r\n' },
  multipart: {
    bytes: Buffer.from(multipart, 'latin1'),
    fields: `Content-Type: multipart/form-data; boundary=${boundary}\r\n`,
  },
  binary: { bytes: Buffer.from(Array.from({ length: 1000 }, (_, i) => i % 256)), fields: '' },
  '1 MB': { bytes: Buffer.alloc(1024 * 1000, 'abcdefghij'), fields: '' },
}

t.test('replays without changes are identical, byte for byte', async t => {
  const proxy = await inspected(t, { options: { record: 'full' } })
  const requests = await recordingService(t, proxy)
  const digest = (text: string | undefined) =>
    createHash('sha256')
      .update(text ?? '', 'latin1')
      .digest('hex')
  let count = 0
  const check = async (what: string, text: string) => {
    const path = `/${++count}?q=a%20b&${what.replaceAll(' ', '')}`
    const before = requests.length
    const client = wire(t, proxy.port)
    client.send(text.replace('PATH', path))
    await client.has('200 OK')
    client.socket.destroy()
    const row = await proxy.row(each => each.path === path && each.durationMs !== null)
    const again = await proxy.replay(row.id)
    t.match(again, { status: 200, replayOf: row.id, method: row.method, path, requestBytes: row.requestBytes }, what)
    t.equal(requests.length, before + 2, what)
    t.equal(digest(requests.at(-1)), digest(requests.at(-2)), `${what}: ${requests.at(-1)?.slice(0, 200)}`)
    // A replay can be replayed.
    await proxy.replay(again.id)
    t.equal(digest(requests.at(-1)), digest(requests.at(-3)), `${what}, twice`)
  }
  const head = (method: string) =>
    `${method} PATH HTTP/1.1\r\nHost: shop.localhost\r\nX-Case: A\r\nx-case: b\r\nCookie: a=1\r\n`
  for (const method of ['GET', 'HEAD', 'DELETE', 'OPTIONS', 'POST', 'PATCH']) await check(method, `${head(method)}\r\n`)
  for (const [name, { bytes, fields }] of Object.entries(bodies)) {
    const body = bytes.toString('latin1')
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      await check(`${method} ${name}`, `${head(method)}${fields}Content-Length: ${bytes.length}\r\n\r\n${body}`)
      const half = bytes.length >> 1
      const chunks = [body.slice(0, half), body.slice(half)]
        .map(it => `${it.length.toString(16)}\r\n${it}\r\n`)
        .join('')
      const chunked = `${head(method)}${fields}Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n${chunks}0\r\nX-Sum: 7\r\n\r\n`
      await check(`${method} ${name} chunked`, chunked)
    }
  }
})

t.test('replays requests of the fast path, of which only metadata was recorded', async t => {
  const proxy = await inspected(t)
  const requests = await recordingService(t, proxy)
  await get(proxy.port, 'shop.localhost', '/fast', { headers: { 'x-a': 'b' } })
  const row = await proxy.row(({ path }) => path === '/fast')
  t.match(await proxy.replay(row.id), { status: 200 })
  t.equal(requests[1], requests[0])
  t.match((await proxy.detail((await proxy.list()).at(-1)?.id ?? '')).responseBody.text, 'ok', 'with its body')
})

t.test('replays with changes', async t => {
  const proxy = await inspected(t, { options: { record: 'full' } })
  const requests = await recordingService(t, proxy)
  await get(proxy.port, 'shop.localhost', '/a', { method: 'POST', body: 'one', headers: { 'x-a': '1', 'x-b': '2' } })
  const row = await proxy.row(({ path, durationMs }) => path === '/a' && durationMs !== null)
  const set = [
    { name: 'X-A', value: 'drei €' },
    { name: 'x-b', value: '' },
  ]
  const changed = await proxy.replay(row.id, { method: 'PUT', path: '/b?c', body: 'zwei!', set })
  t.match(changed, { method: 'PUT', path: '/b?c', requestBytes: 5, replayOf: row.id })
  const [head = '', body] = (requests.at(-1) ?? '').split('\r\n\r\n')
  t.match(head, /^PUT \/b\?c HTTP\/1\.1\r\n/)
  t.match(head, `X-A: ${Buffer.from('drei €').toString('latin1')}`)
  t.notMatch(head, /x-b/i)
  t.match(head, /content-length: 5/i)
  t.equal(body, 'zwei!')
  t.equal((await proxy.replay(row.id, { path: '/c' })).requestBytes, 3, 'the recorded body')
  t.equal(requests.at(-1)?.split('\r\n\r\n')[1], 'one')
})

t.test('refuses what cannot be replayed, with a hint', async t => {
  const proxy = await inspected(t)
  await recordingService(t, proxy)
  await get(proxy.port, 'shop.localhost', '/a', { method: 'POST', body: 'unseen' })
  const row = await proxy.row(({ path, durationMs }) => path === '/a' && durationMs !== null)
  t.match((await proxy.detail(row.id)).cannotReplay, /its body was not kept/)
  await t.rejects(proxy.replay(row.id), /REPLAY_FAILED.*bodies are kept while someone looks/s)
  t.match(await proxy.replay(row.id, { body: 'own' }), { status: 200, requestBytes: 3 })
  await get(proxy.port, 'nobody.localhost', '/b')
  await t.rejects(proxy.replay((await proxy.row(({ path }) => path === '/b')).id), /no service received it/)
  await t.rejects(proxy.replay('nope1'), /UNKNOWN_REQUEST/)
  proxy.catalog.set('shop:web', { status: 'failed', port: null, upstream: null })
  t.match(await proxy.replay(row.id, { body: 'own' }), { answeredBy: 'locald' }, 'of a service that has failed')
})

t.test('replays a GET over HTTP/2, and shows its host', async t => {
  const proxy = await inspected(t, { https: true })
  const requests = await recordingService(t, proxy)
  const client = http2.connect(`https://127.0.0.1:${proxy.securePort}`, { rejectUnauthorized: false })
  t.teardown(() => client.destroy())
  const request = client.request({ ':path': '/two', ':authority': 'shop.localhost', 'x-a': 'b' })
  await once(request.resume(), 'end')
  const row = await proxy.row(({ path, durationMs }) => path === '/two' && durationMs !== null)
  const { requestHeaders } = await proxy.detail(row.id)
  t.match(requestHeaders, [
    { name: 'host', value: 'shop.localhost' },
    { name: 'x-a', value: 'b' },
  ])
  t.match(await proxy.replay(row.id), { status: 200, httpVersion: '2' })
  t.equal(requests[1], requests[0])
  t.match(await proxy.replay(row.id, { path: '/three' }), { status: 200, path: '/three' })
})

t.test('replays a request to a service of h2c', async t => {
  const proxy = await inspected(t, { options: { record: 'full' } })
  const seen: string[] = []
  const server = http2.createServer()
  server.on('stream', (stream, headers) => {
    let body = ''
    stream.on('data', data => {
      body += data
    })
    stream.on('end', () => {
      seen.push(JSON.stringify([headers[':method'], headers[':path'], headers['x-a'], body]))
      stream.respond({ ':status': 200 })
      stream.end('ok')
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const address = server.address()
  proxy.catalog.project('shop')
  const port = typeof address === 'object' && address !== null ? address.port : 0
  proxy.catalog.set('shop:web', { ...at(port), protocol: 'h2c' })
  await get(proxy.port, 'shop.localhost', '/h2', { method: 'POST', body: 'body', headers: { 'x-a': 'b' } })
  const row = await proxy.row(({ path, durationMs }) => path === '/h2' && durationMs !== null)
  await proxy.replay(row.id)
  await eventually(() => seen.length === 2, 'two requests')
  t.equal(seen[1], seen[0])
  await proxy.close()
})

t.test('replays reach a service that moved to another port', async t => {
  const proxy = await inspected(t)
  const first = await serve(t, (_, res) => res.end('old'))
  proxy.catalog.project('shop')
  proxy.catalog.set('shop:web', at(first.port))
  await get(proxy.port, 'shop.localhost', '/a')
  const row = await proxy.row(({ path }) => path === '/a')
  const second = await serve(t, (_, res) => res.writeHead(202).end('new'))
  proxy.catalog.set('shop:web', at(second.port))
  t.equal((await proxy.replay(row.id)).status, 202)
})
