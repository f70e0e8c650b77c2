import { once } from 'node:events'
import http2, { type ClientHttp2Session, type ClientHttp2Stream, type IncomingHttpHeaders } from 'node:http2'
import net from 'node:net'
import { connect as tlsConnect } from 'node:tls'
import type { Test } from 'tap'
import type { Running } from '../lib/boot.ts'
import { textOf } from '../lib/client.ts'
import { deadline } from '../lib/wait.ts'

/** Opens an HTTP/2 session with the proxy on 127.0.0.1. */
export async function session(t: Test, run: Running, scheme: 'https' | 'http' = 'https'): Promise<ClientHttp2Session> {
  const port = scheme === 'https' ? run.securePort : run.port
  const client = http2.connect(`${scheme}://shop.localhost:${port}`, {
    ca: run.ca,
    settings: { enablePush: false },
    createConnection: () =>
      scheme === 'http'
        ? net.connect(port, '127.0.0.1')
        : tlsConnect({ host: '127.0.0.1', port, ca: run.ca, servername: 'shop.localhost', ALPNProtocols: ['h2'] }),
  })
  client.on('error', () => undefined)
  t.teardown(() => client.destroy())
  await once(client, 'connect')
  return client
}

/** A complete response. */
export interface Http2Response {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly trailers: IncomingHttpHeaders
}

/** Sends one request; rejects when the stream is reset. */
export async function ask(
  client: ClientHttp2Session,
  headers: http2.OutgoingHttpHeaders = {},
  body?: string | Buffer,
): Promise<Http2Response> {
  const stream = client.request(
    { ':authority': 'shop.localhost', ':path': '/', ...headers },
    { endStream: body === undefined },
  )
  if (body !== undefined) stream.end(body)
  return responseOf(stream)
}

/** Reads the response of a stream. */
export async function responseOf(stream: ClientHttp2Stream): Promise<Http2Response> {
  let trailers: IncomingHttpHeaders = {}
  stream.on('trailers', headers => {
    trailers = headers
  })
  const [headers]: IncomingHttpHeaders[] = await once(stream, 'response', { signal: AbortSignal.timeout(deadline) })
  const body = await textOf(stream)
  return { status: Number(headers?.[':status']), headers: headers ?? {}, body, trailers }
}
