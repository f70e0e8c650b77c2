import { type IncomingMessage, type Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { framingOf, headLines, removeUpgrade, tokensOf, valuesOf } from '../message/headers.ts'
import type { ResponseHead } from '../message/response-head.ts'
import { splice } from '../upstream/splice.ts'
import { Http1Forward, type Http1Request } from './forward.ts'

/** Bytes that a client may send before the service has agreed to the switch. */
const maxEarly = 64 * 1024

/** Returns the protocols a request asks to switch to; undefined for one to be served as a plain request. */
export function upgradeOf(req: IncomingMessage): string | undefined {
  // h2c would hide later requests from the proxy; a body before the switch is ambiguous (RFC 9110 section 7.8).
  const protocols = tokensOf(req.rawHeaders, 'upgrade').filter(token => token !== 'h2c')
  const length = Number(valuesOf(req.rawHeaders, 'content-length')[0] ?? 0)
  const body = framingOf(req.rawHeaders) === 'length' ? length > 0 : framingOf(req.rawHeaders) !== 'none'
  return protocols.length === 0 || body ? undefined : protocols.join(', ')
}

/** Returns a connection to the server, with its request stripped of the upgrade. */
export function serveAsPlain(server: Server, req: IncomingMessage, head: Buffer): void {
  const text = headLines(`${req.method} ${req.url} HTTP/${req.httpVersion}`, removeUpgrade(req.rawHeaders))
  // The server adds its own listener again.
  req.socket.removeAllListeners('timeout')
  req.socket.unshift(Buffer.concat([Buffer.from(text, 'latin1'), head]))
  server.emit('connection', req.socket)
}

/** Creates a response for a request whose socket the server has released. The connection is closed after it. */
export function createDetachedResponse(req: IncomingMessage): ServerResponse {
  const { socket } = req
  const res = new ServerResponse(req)
  res.shouldKeepAlive = false
  res.assignSocket(socket)
  const drained = (): void => void res.emit('drain')
  socket.on('drain', drained)
  res.once('finish', () => {
    res.detachSocket(socket)
    socket.off('drain', drained)
    socket.end(() => socket.destroySoon())
    // Node emits it only for a response with a socket.
    res.emit('close')
  })
  return res
}

/** Collects what a client sends before its upgrade is accepted. */
export class EarlyData {
  readonly #socket: Duplex
  readonly #chunks: Buffer[]
  #size: number

  constructor(socket: Duplex, head: Buffer) {
    this.#socket = socket
    this.#chunks = [head]
    this.#size = head.length
    socket.on('data', this.#keep)
  }

  /** Returns the collected bytes; the caller owns the socket from now on. */
  take(): Buffer {
    this.#socket.off('data', this.#keep)
    return Buffer.concat(this.#chunks)
  }

  readonly #keep = (chunk: Buffer): void => {
    this.#chunks.push(chunk)
    this.#size += chunk.length
    if (this.#size > maxEarly) this.#socket.pause()
  }
}

/** Asks the service to switch protocols. Joins both connections when it does; forwards its response otherwise. */
export function tunnel(request: Http1Request, protocol: string, early: EarlyData): void {
  const { req, res, pool } = request
  const done = ({ reason, fields, upgrade }: ResponseHead, service: Socket, rest: Buffer): void => {
    const client = req.socket
    res.detachSocket(client)
    const chosen = `Connection: Upgrade\r\nUpgrade: ${upgrade ?? protocol}\r\n`
    client.write(`HTTP/1.1 101 ${reason}\r\n${fields}${chosen}\r\n`, 'latin1')
    if (rest.length > 0) client.write(rest)
    const first = early.take()
    if (first.length > 0) service.write(first)
    pool.joined?.({ client, service, fromClient: first, fromService: rest })
    splice(client, service)
    splice(service, client)
    res.emit('close')
  }
  new Http1Forward(request, { protocol, done }).start()
}
