import { type IncomingMessage, type Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { framingOf, headLines, tokensOf, valuesOf, withoutUpgrade } from '../message/headers.ts'
import type { ResponseHead } from '../message/response-head.ts'
import type { Upstreams } from '../upstream/pool.ts'
import { type Errand, forward } from './forward.ts'

/** What a client sends before the service has agreed to the switch is kept up to this many bytes. */
const maxEarly = 64 * 1024

/** The protocols a request wants to switch to; undefined where it is better served as a plain request. */
export function upgradeOf(req: IncomingMessage): string | undefined {
  // h2c would let later requests pass unseen; a body in front of the switch is not worth its ambiguity (RFC 9110 section 7.8).
  const wanted = tokensOf(req.rawHeaders, 'upgrade').filter(token => token !== 'h2c')
  const length = Number(valuesOf(req.rawHeaders, 'content-length')[0] ?? 0)
  const body = framingOf(req.rawHeaders) === 'length' ? length > 0 : framingOf(req.rawHeaders) !== 'none'
  return wanted.length === 0 || body ? undefined : wanted.join(', ')
}

/** Hands a connection back to the server as if its request had not asked for an upgrade. */
export function asPlain(server: Server, req: IncomingMessage, head: Buffer): void {
  const text = headLines(`${req.method} ${req.url} HTTP/${req.httpVersion}`, withoutUpgrade(req.rawHeaders))
  // The server adds its own again.
  req.socket.removeAllListeners('timeout')
  req.socket.unshift(Buffer.concat([Buffer.from(text, 'latin1'), head]))
  server.emit('connection', req.socket)
}

/** A response for a request whose socket the server has let go of. The connection ends with it. */
export function detachedResponse(req: IncomingMessage): ServerResponse {
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
    // Nobody waits for it otherwise.
    res.emit('close')
  })
  return res
}

/** Collects what a client sends while its upgrade is undecided. */
export class Early {
  readonly #socket: Duplex
  readonly #chunks: Buffer[]
  #size: number

  constructor(socket: Duplex, head: Buffer) {
    this.#socket = socket
    this.#chunks = [head]
    this.#size = head.length
    socket.on('data', this.#keep)
  }

  /** All of it; from here on the socket is the caller's. */
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

/** Asks the service to switch protocols. When it does, both connections become one pipe; else its response is passed on. */
export function tunnel(errand: Errand, protocol: string, early: Early, upstreams: Upstreams): void {
  const { req, res } = errand
  const done = ({ reason, fields, upgrade }: ResponseHead, service: Socket, rest: Buffer): void => {
    const client = req.socket
    res.detachSocket(client)
    const chosen = `Connection: Upgrade\r\nUpgrade: ${upgrade ?? protocol}\r\n`
    client.write(`HTTP/1.1 101 ${reason}\r\n${fields}${chosen}\r\n`, 'latin1')
    if (rest.length > 0) client.write(rest)
    const first = early.take()
    if (first.length > 0) service.write(first)
    splice(client, service)
    splice(service, client)
    res.emit('close')
  }
  forward(errand, upstreams, { protocol, done })
}

/** One direction of a pipe, with its half close. Written out because it costs a third less than pipe(). */
export function splice(from: Duplex, to: Duplex): void {
  from.on('data', chunk => {
    if (!to.write(chunk)) from.pause()
  })
  to.on('drain', () => from.resume())
  if (from.readableEnded) to.end()
  else from.on('end', () => to.end())
  from.on('error', () => to.destroy())
  from.on('close', () => {
    if (!from.readableEnded) to.destroy()
  })
}
