import { type ClientRequest, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { systemCode } from '../../kernel/errors.ts'
import { dial, neverConnected, type Pool } from './dial.ts'
import { closedEarly } from './exchange.ts'
import { spent } from './garbage.ts'
import type { Destination, Failure } from './gate.ts'
import { forNode, framingOf, headLines, type Passage, requestHeaders, responseHeaders, trailersOf } from './headers.ts'
import type { Limits } from './limits.ts'

/** One request on its way to a service. */
export interface Errand {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly to: Destination
  readonly passage: Passage
  readonly failed: (failure: Failure) => void
}

const nothing = Buffer.alloc(0)
/** Methods whose requests may be sent twice: those that change nothing (RFC 9110 section 9.2.1), as a crash leaves open what was done. */
export const safe: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

/**
 * Passes a request to its service and the response back, both as streams. A request that may be repeated uses the pool
 * and is sent again if its connection proves stale; all others get a new connection, on which that cannot happen.
 */
export function forward(errand: Errand, pool: Pool, limits: Limits): void {
  const { req } = errand
  const repeatable = framingOf(req.rawHeaders) === 'none' && safe.has(req.method ?? '')
  send(errand, repeatable ? pool : undefined, limits)
}

/** @param again it was sent on a connection that proved stale, and may be */
function send(errand: Errand, pool: Pool | undefined, limits: Limits, again = false): void {
  const { req, res, to, failed } = errand
  const up = open(errand, pool, limits)
  let read = 0
  let response: IncomingMessage | undefined
  const ended = (): void => {
    if (res.writableFinished && req.complete) return
    up.destroy()
    if (res.writableFinished) drain(req, up)
  }
  res.once('close', ended)
  up.once('socket', socket => {
    read = socket.bytesRead
    if (framingOf(req.rawHeaders) === 'none') up.end()
    else upload(req, up)
  })
  up.on('information', info => interim(req, res, info.statusCode, info.statusMessage, info.rawHeaders))
  up.once('response', answer => {
    response = answer
    const detail = relay(req, res, answer)
    if (detail === undefined) return
    res.off('close', ended)
    up.destroy()
    drain(req, up)
    failed({ kind: 'broken', detail, again: false })
  })
  up.once('upgrade', (_answer, socket) => {
    res.off('close', ended)
    socket.destroy()
    drain(req, up)
    failed({ kind: 'broken', detail: 'switched protocols without being asked', again: false })
  })
  up.on('error', error => {
    // Once there is a response, its own end tells; what the client still sends goes nowhere.
    if (response !== undefined) return drain(req, up)
    res.off('close', ended)
    if (res.destroyed) return
    if (neverConnected(error)) return failed({ kind: 'refused', sent: again })
    drain(req, up)
    const stale = pool !== undefined && up.reusedSocket && up.socket?.bytesRead === read
    if (stale) send(errand, undefined, limits, true)
    else failed({ kind: 'broken', detail: detailOf(error, to), again: pool !== undefined })
  })
}

/** Lets the client finish a body that nobody wants, so that it can read the answer. */
function drain(req: IncomingMessage, up: ClientRequest): void {
  req.unpipe(up)
  req.resume()
}

function open(errand: Errand, pool: Pool | undefined, limits: Limits): ClientRequest {
  const { req, to, passage } = errand
  const method = req.method ?? 'GET'
  const up = request({
    host: to.address.host,
    port: to.address.port,
    method,
    path: to.path,
    headers: forNode(requestHeaders(req.rawHeaders, method, passage, pool === undefined ? 'close' : 'keep-alive')),
    maxHeaderSize: limits.head,
    setHost: false,
    ...(pool === undefined ? { createConnection: connectTo(to, false) } : { agent: pool }),
  })
  up.maxHeadersCount = 0
  return up
}

/** A `createConnection` for one request: it dials both loopback families. */
export function connectTo(to: Destination, allowHalfOpen: boolean) {
  return (_options: object, done: (error: Error | null, socket: Socket) => void): undefined => {
    dial(to.address, { allowHalfOpen }, done)
  }
}

function upload(req: IncomingMessage, up: ClientRequest): void {
  // The head must not wait for the body's first byte. Not flushHeaders: it writes latin1 values as UTF-8.
  up.write(nothing)
  req.pipe(up, { end: false })
  req.on('data', ({ length }: Buffer) => spent(length))
  req.once('end', () => {
    const trailers = trailersOf(req.rawTrailers)
    if (trailers.length > 0) up.addTrailers(trailers)
    up.end()
  })
}

// 103 and its kin are written by hand: Node's writeEarlyHints would judge their headers.
function interim(
  req: IncomingMessage,
  res: ServerResponse,
  status: number,
  reason: string,
  raw: readonly string[],
): void {
  if (res.headersSent || req.httpVersion !== '1.1') return
  if (status === 100) {
    if (req.headers.expect !== undefined) res.writeContinue()
    return
  }
  // A client that does not read gets no hints, so that they pile up nowhere.
  if (res.socket?.writableNeedDrain === false)
    res.socket.write(headLines(`HTTP/1.1 ${status} ${reason}`, responseHeaders(raw, status, false)), 'latin1')
}

/** Streams a service's response to the client. Returns what is wrong with it if it cannot be passed on. */
export function relay(req: IncomingMessage, res: ServerResponse, answer: IncomingMessage): string | undefined {
  const status = answer.statusCode ?? 0
  const framing = framingOf(answer.rawHeaders)
  if (status === 101) return 'switched protocols without being asked'
  if (framing === 'unknown') return 'answered in a transfer coding that is not supported'
  const bodyless = req.method === 'HEAD' || status === 204 || status === 304
  const trailers = framing === 'chunked' && req.httpVersion === '1.1' && !bodyless
  const headers = forNode(responseHeaders(answer.rawHeaders, status, trailers))
  // The client was not told to go on, so nobody knows whether its body follows.
  if (req.headers.expect !== undefined && !req.complete) headers.push('Connection', 'close')
  try {
    res.writeHead(status, answer.statusMessage ?? '', headers)
  } catch {
    return 'answered with a head that cannot be passed on'
  }
  let begun = false
  answer.once('data', () => {
    begun = true
  })
  answer.pipe(res, { end: false })
  answer.once('end', () => {
    const pairs = trailers ? trailersOf(answer.rawTrailers) : []
    if (pairs.length > 0) res.addTrailers(pairs)
    res.end()
  })
  answer.once('error', () => cut(res, framing === 'none' || req.httpVersion !== '1.1'))
  // An event stream's head must not wait for its first event; a body that is already here goes with the head.
  process.nextTick(() => {
    if (!begun && !res.writableEnded && !res.destroyed) res.write(nothing)
  })
  return undefined
}

/** Ends the client's connection in the middle of a body so that it cannot be taken for the body's end. */
function cut(res: ServerResponse, endsWithConnection: boolean): void {
  const { socket } = res
  if (endsWithConnection && socket instanceof Socket) socket.resetAndDestroy()
  else res.destroy()
}

/** What a service did instead of answering. */
export function detailOf(error: Error, to: Destination): string {
  const code = systemCode(error) ?? ''
  if (code === 'HPE_HEADER_OVERFLOW') return 'answered with a head that is too large'
  if (code.startsWith('HPE_')) return `answered on port ${to.address.port}, but not in HTTP (${error.message})`
  if (code === 'ECONNRESET' || code === 'EPIPE') return closedEarly
  return `could not be reached: ${error.message}`
}
