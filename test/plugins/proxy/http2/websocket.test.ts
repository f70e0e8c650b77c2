import { once } from 'node:events'
import http from 'node:http'
import type { ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2'
import type net from 'node:net'
import t from 'tap'
import { type WebSocket, WebSocketServer } from 'ws'
import { boot } from '../lib/boot.ts'
import { at, listening } from '../lib/services.ts'
import { eventually } from '../lib/wait.ts'
import { responseOf, session } from './client.ts'

t.test('tunnels a WebSocket over HTTP/2', async t => {
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
  await eventually(() => seen[0]?.readyState === 3, 'the service sees the client disconnect')
  const other = open('/hmr')
  await once(other, 'response')
  const closed = once(other.resume(), 'end')
  seen[1]?.terminate()
  await closed
  other.end()
  await once(other, 'close')
  const refusing = http.createServer()
  refusing.on('upgrade', (_req, socket: net.Socket) => socket.end('HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno'))
  catalog.set('shop:web', at((await listening(t, refusing)).port))
  t.match(await responseOf(open('/')), { status: 403, body: 'no' })
  const lying = http.createServer()
  lying.on('upgrade', (_req, socket: net.Socket) =>
    socket.end('HTTP/1.1 101 Go\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n'),
  )
  catalog.set('shop:web', at((await listening(t, lying)).port))
  t.match(await responseOf(open('/')), { status: 502 })
  sockets.close()
})
