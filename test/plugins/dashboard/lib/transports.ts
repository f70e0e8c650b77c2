import { once } from 'node:events'
import http, { type IncomingHttpHeaders } from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import type { Readable } from 'node:stream'
import { connect } from 'node:tls'
import type { Test } from '../../../lib/sandbox.ts'

/** A request to the proxy, under any name. */
export interface Asked {
  readonly method: string
  readonly path: string
  /** `host` among them. */
  readonly headers: Readonly<Record<string, string>>
}

export interface Answered {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** The first 64 KB at least; of a stream without an end, its first piece. */
  readonly body: string
}

/** A version of HTTP, with or without TLS, on the proxy's port for it. */
export interface Transport {
  readonly name: string
  readonly scheme: 'http' | 'https'
  readonly port: number
  ask(asked: Asked): Promise<Answered>
  /** Asks for a WebSocket; the status is 101 or that of the refusal (over HTTP/2: 200). */
  upgrade(asked: Asked): Promise<Pick<Answered, 'status' | 'headers'>>
}

/** An answer without an end has sent its head by now, ms. */
const limitMs = 20_000
const enough = 64 * 1024

/** Returns HTTP/1.1 in the clear, over TLS, and HTTP/2. The test accepts the certificate of the sandbox's own CA. */
export function openTransports(t: Test, ports: { http: number; https: number }): readonly Transport[] {
  const plainAgent = new http.Agent({ keepAlive: true })
  const secureAgent = new https.Agent({ keepAlive: true, rejectUnauthorized: false })
  // Opened when it is first used: the proxy closes one that is idle.
  let opened: Promise<http2.ClientHttp2Session> | undefined
  const session = async () => {
    opened ??= openSession(ports.https)
    return await opened
  }
  t.teardown(() => plainAgent.destroy())
  t.teardown(() => secureAgent.destroy())
  t.teardown(async () => (await opened)?.destroy())
  const plain = { host: '127.0.0.1', port: ports.http, agent: plainAgent }
  const secure = {
    ...{ host: '127.0.0.1', port: ports.https, agent: secureAgent },
    ...{ servername: 'locald.localhost', rejectUnauthorized: false },
  }
  return [
    {
      ...{ name: 'HTTP/1.1', scheme: 'http', port: ports.http },
      ask: asked => read(http.request({ ...plain, ...asked })),
      upgrade: asked => readUpgrade(http.request({ ...plain, ...asked, headers: webSocket(asked), agent: false })),
    },
    {
      ...{ name: 'HTTP/1.1 over TLS', scheme: 'https', port: ports.https },
      ask: asked => read(https.request({ ...secure, ...asked })),
      upgrade: asked => readUpgrade(https.request({ ...secure, ...asked, headers: webSocket(asked), agent: false })),
    },
    {
      ...{ name: 'HTTP/2', scheme: 'https', port: ports.https },
      ask: async asked => readStream((await session()).request(fieldsOf(asked, asked.method)), asked),
      upgrade: async asked =>
        readStream((await session()).request({ ...fieldsOf(asked, 'CONNECT'), ':protocol': 'websocket' }), {
          method: 'CONNECT',
        }),
    },
  ]
}

async function openSession(port: number): Promise<http2.ClientHttp2Session> {
  const options = { servername: 'locald.localhost', rejectUnauthorized: false, ALPNProtocols: ['h2'] }
  const session = http2.connect(`https://locald.localhost:${port}`, {
    createConnection: () => connect({ host: '127.0.0.1', port, ...options }),
  })
  // For the extended CONNECT (RFC 8441), which the server's settings allow.
  await once(session, 'remoteSettings')
  return session
}

function webSocket({ headers }: Asked): Record<string, string> {
  const key = Buffer.alloc(16).toString('base64')
  return {
    ...headers,
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': key,
  }
}

function fieldsOf({ path, headers }: Asked, method: string): http2.OutgoingHttpHeaders {
  const { host, ...rest } = headers
  return { ':method': method, ':scheme': 'https', ':path': path, ':authority': host, ...rest }
}

async function read(request: http.ClientRequest): Promise<Answered> {
  request.setTimeout(limitMs, () => request.destroy(new Error('no answer')))
  request.end()
  const [response]: http.IncomingMessage[] = await once(request, 'response')
  if (response === undefined) throw new Error('no response')
  const body = await collect(response, response.headers['content-type'])
  if (!response.complete) request.destroy()
  return { status: response.statusCode ?? 0, headers: response.headers, body }
}

async function readUpgrade(request: http.ClientRequest): Promise<Pick<Answered, 'status' | 'headers'>> {
  request.setTimeout(limitMs, () => request.destroy(new Error('no answer')))
  request.end()
  return await new Promise((resolve, reject) => {
    request.once('error', reject)
    request.once('upgrade', (response, socket) => {
      socket.destroy()
      resolve({ status: response.statusCode ?? 0, headers: response.headers })
    })
    request.once('response', response => {
      response.resume()
      response.once('close', () => resolve({ status: response.statusCode ?? 0, headers: response.headers }))
    })
  })
}

async function readStream(stream: http2.ClientHttp2Stream, { method }: Pick<Asked, 'method'>): Promise<Answered> {
  stream.setTimeout(limitMs, () => stream.destroy(new Error('no answer')))
  if (method !== 'CONNECT') stream.end()
  const [head]: http2.IncomingHttpHeaders[] = await once(stream, 'response')
  const status = Number(head?.[':status'] ?? 0)
  const body = method === 'CONNECT' && status === 200 ? '' : await collect(stream, head?.['content-type'])
  stream.end()
  // A reset is counted, and a client with too many is disconnected.
  if (!stream.readableEnded) stream.close()
  return { status, headers: head ?? {}, body }
}

/** What may have no end. */
const streams = ['text/event-stream', 'application/x-ndjson']

/** Reads a body to its end, or enough of it; of a stream, the first piece. */
async function collect(source: Readable, type: string | undefined): Promise<string> {
  const limit = streams.some(each => type?.startsWith(each)) ? 1 : enough
  let body = ''
  source.setEncoding('utf8')
  return await new Promise((resolve, reject) => {
    source.once('error', reject)
    source.on('data', (text: string) => {
      body += text
      if (body.length >= limit) resolve(body)
    })
    source.once('close', () => resolve(body))
    source.once('end', () => resolve(body))
  })
}
