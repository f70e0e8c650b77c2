import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { connect, send } from '../../../cli/daemon/http.ts'
import { folder } from '../fake-daemon.ts'

const head = 'HTTP/1.1 200 OK\r\n'
const pong = '{"pong":true}'
const chunked = `${head}Transfer-Encoding: chunked\r\n\r\n`
const cases: readonly [answer: string, outcome: RegExp][] = [
  ['hello\r\n\r\n', /no HTTP\/1\.1 status/],
  ['HTTP/1.1 2000 OK\r\n\r\n', /no HTTP\/1\.1 status/],
  ['HTTP/1.0 200 OK\r\n\r\n', /no HTTP\/1\.1 status/],
  [`${head}bad header\r\n\r\n`, /a bad header/],
  [`${head}a : b\r\n\r\n`, /a bad header/],
  [`${head}\r\n${pong}`, /a body without length/],
  [`${head}Content-Length: 5x\r\n\r\n${pong}`, /a body without length/],
  [`${head}Content-Length: 13\r\nContent-Length: 13\r\n\r\n${pong}`, /a body without length/],
  [`${head}Content-Length: 13\r\nTransfer-Encoding: chunked\r\n\r\n${pong}`, /an unknown transfer coding/],
  [`${head}Transfer-Encoding: gzip, chunked\r\n\r\n${pong}`, /an unknown transfer coding/],
  [`${chunked}0x5\r\n`, /a bad chunk size/],
  [`${chunked}\r\n`, /a bad chunk size/],
  [`${chunked}5\n`, /a bare line feed/],
  [`${chunked}2\r\n${pong}\r\n`, /a chunk longer than its size/],
  [`${chunked}5;${'x'.repeat(70_000)}`, /a chunk head without end/],
  [`${head}Content-Length: 99\r\n\r\n${pong}`, /lost connection to the daemon while testing/],
  [`${chunked}d\r\n${pong}\r\n`, /lost connection to the daemon while testing/],
  [`${chunked}d\r\n${pong}\r\n0\r\nTrailer: x\r\n`, /lost connection to the daemon while testing/],
  ['', /no answer/],
  [`${head}X: ${'x'.repeat(70_000)}`, /a head without end/],
  [`${head}content-length:13 \r\n\r\n${pong}`, /^200 \{"pong":true\}$/],
  [`${head}content-length: 0\r\n\r\n`, /^200 $/],
  [`HTTP/1.1 404 \r\ncontent-length: 2\r\n\r\nno`, /^404 no$/],
  [`${chunked}5;a=b\r\n{"pon\r\n8\r\ng":true}\r\n0\r\nTrailer: x\r\n\r\n`, /^200 \{"pong":true\}$/],
  [`${chunked}00D\r\n${pong}\r\n0\r\n\r\nmore`, /^200 \{"pong":true\}$/],
]

t.test('reads every kind of answer, whole and byte by byte', async t => {
  const socket = join(folder(t), 's.sock')
  let answer = ''
  let size = 1
  const server = createServer(client => {
    client.on('error', () => undefined)
    client.setNoDelay(true).once('data', async () => {
      for (let at = 0; at < answer.length; at += size) {
        client.write(answer.slice(at, at + size), 'latin1')
        if (size === 1) await new Promise(resolve => setImmediate(resolve))
      }
      client.end()
    })
  }).listen(socket)
  t.teardown(() => server.close())
  for (const [text, outcome] of cases) {
    for (size of text.length > 1000 ? [100_000] : [1, 100_000]) {
      answer = text
      t.match(
        await outcomeOf(socket),
        outcome,
        `${size === 1 ? 'bytes' : 'whole'}: ${JSON.stringify(text.slice(0, 90))}`,
      )
    }
  }
})

t.test('times out when the daemon sends nothing', async t => {
  const path = join(folder(t), 's.sock')
  const server = createServer().listen(path)
  t.teardown(() => server.close())
  const asked = send(await connect(path), { method: 'GET', target: '/', doing: 'testing', idleMs: 50 })
  await t.rejects(asked, { code: 'DAEMON_UNREACHABLE', message: 'the daemon timed out after 0 s' })
})

t.test('sends a request with its body and closes the connection', async t => {
  const path = join(folder(t), 's.sock')
  const server = createServer().listen(path)
  t.teardown(() => server.close())
  const connected = once(server, 'connection')
  const asked = send(await connect(path), {
    method: 'POST',
    target: '/v1/x?a=b',
    body: { name: 'é' },
    doing: 'testing',
  })
  const [client] = await connected
  const [bytes] = await once(client, 'data')
  t.equal(
    String(bytes),
    'POST /v1/x?a=b HTTP/1.1\r\nHost: locald\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n{"name":"é"}',
  )
  client.destroy()
  t.equal(await asked, undefined)
})

async function outcomeOf(path: string): Promise<string> {
  try {
    const answer = await send(await connect(path), { method: 'GET', target: '/', doing: 'testing' })
    let text = ''
    if (answer === undefined) return 'no answer'
    for await (const piece of answer.body) text += piece
    return `${answer.status} ${text}`
  } catch (error) {
    return String(error)
  }
}

t.test('does not wait for a request that is aborted while connecting', async t => {
  const path = join(folder(t), 's.sock')
  const server = createServer(() => {}).listen(path)
  t.teardown(() => server.close())
  await once(server, 'listening')
  const given = { method: 'GET', target: '/', doing: 'testing', signal: AbortSignal.abort() } as const
  t.equal(await send(await connect(path), given), undefined)
})
