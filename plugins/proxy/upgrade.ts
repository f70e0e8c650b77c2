import { type IncomingMessage, request, type Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { neverConnected } from './dial.ts'
import { connectTo, detailOf, type Errand, relay } from './forward.ts'
import {
  forNode,
  framingOf,
  headLines,
  requestHeaders,
  responseHeaders,
  tokensOf,
  valuesOf,
  withoutUpgrade,
} from './headers.ts'
import type { Limits } from './limits.ts'

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
  socket.on('error', () => socket.destroy())
  res.once('finish', () => {
    res.detachSocket(socket)
    socket.off('drain', drained)
    socket.end(() => socket.destroySoon())
    // Nobody waits for it otherwise.
    res.emit('close')
  })
  return res
}

/** Collects what a client sends while its upgrade is undecided, and notices when it leaves. */
export class Early {
  readonly #socket: Duplex
  readonly #chunks: Buffer[]
  #size: number

  constructor(socket: Duplex, head: Buffer) {
    this.#socket = socket
    this.#chunks = [head]
    this.#size = head.length
    socket.on('data', this.#keep)
    socket.on('end', this.#left)
  }

  /** All of it; from here on the socket is the caller's. */
  take(): Buffer {
    this.#socket.off('data', this.#keep)
    this.#socket.off('end', this.#left)
    return Buffer.concat(this.#chunks)
  }

  readonly #keep = (chunk: Buffer): void => {
    this.#chunks.push(chunk)
    this.#size += chunk.length
    if (this.#size > maxEarly) this.#socket.pause()
  }

  readonly #left = (): void => {
    this.#socket.destroy()
  }
}

/** Asks the service to switch protocols. When it does, both connections become one pipe; else its response is passed on. */
export function tunnel(errand: Errand, protocol: string, early: Early, limits: Limits): void {
  const { req, res, to, passage, failed } = errand
  const method = req.method ?? 'GET'
  const up = request({
    host: to.address.host,
    port: to.address.port,
    method,
    path: to.path,
    headers: forNode(requestHeaders(req.rawHeaders, method, passage, { upgrade: protocol })),
    maxHeaderSize: limits.head,
    setHost: false,
    createConnection: connectTo(to, true),
  })
  up.maxHeadersCount = 0
  const left = (): void => void up.destroy()
  let answered = false
  res.once('close', left)
  up.once('upgrade', (answer, service, head) => {
    res.off('close', left)
    const client = req.socket
    res.detachSocket(client)
    const chosen = valuesOf(answer.rawHeaders, 'upgrade')[0] ?? protocol
    const headers = [...responseHeaders(answer.rawHeaders, 101, false), 'Connection', 'Upgrade', 'Upgrade', chosen]
    client.write(headLines(`HTTP/1.1 101 ${answer.statusMessage ?? ''}`, headers), 'latin1')
    if (head.length > 0) client.write(head)
    const first = early.take()
    if (first.length > 0) service.write(first)
    splice(client, service)
    splice(service, client)
    res.emit('close')
  })
  up.once('response', answer => {
    answered = true
    const detail = relay(req, res, answer)
    if (detail !== undefined) failed({ kind: 'broken', detail, again: false })
  })
  up.on('error', error => {
    res.off('close', left)
    if (answered || res.destroyed) return
    if (neverConnected(error)) failed({ kind: 'refused', sent: false })
    else failed({ kind: 'broken', detail: detailOf(error, to), again: true })
  })
  up.end()
}

/** One direction of a pipe, with its half close. Written out because it costs a third less than pipe(). */
export function splice(from: Duplex, to: Duplex): void {
  from.on('data', chunk => {
    if (!to.write(chunk)) from.pause()
  })
  to.on('drain', () => from.resume())
  from.on('end', () => to.end())
  from.on('error', () => to.destroy())
  from.on('close', () => {
    if (!from.readableEnded) to.destroy()
  })
}
