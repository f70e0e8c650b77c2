import {
  constants,
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Limits } from '../limits.ts'
import { type ClientAddress, ForwardedHeaders } from '../message/forwarded.ts'
import type { RateLimitedLog } from '../rate-limited-log.ts'
import { sendErrorCodes } from './error-codes.ts'
import { ResetCounter, resetOptions } from './reset-rate.ts'
import { Http2Stream, type Http2StreamParts } from './stream.ts'

/** What HTTP/2 needs of the proxy. */
export interface Http2Parts extends Http2StreamParts {
  readonly limits: Limits
  readonly clientLog: RateLimitedLog
}

/** The number of a connection's open streams, and since when there are none: performance.now(). */
interface Connection {
  open: number
  idleSince: number
}

/** Serves HTTP/2 by the streams of node:http2. */
export class Http2Server {
  readonly #parts: Http2Parts
  readonly #sessions = new Map<ServerHttp2Session, Connection>()
  #open = 0
  #onIdle: (() => void) | undefined
  #sweep: NodeJS.Timeout | undefined

  constructor(parts: Http2Parts) {
    this.#parts = parts
  }

  /** Serves a connection. */
  serve(socket: Socket): void {
    const { limits, clientLog } = this.#parts
    const forwarded = new ForwardedHeaders(clientOf(socket))
    const session = performServerHandshake(socket, optionsOf(limits))
    sendErrorCodes(session)
    session.setLocalWindowSize(limits.h2Window * 16)
    // A client that closes its half has disconnected: node:http2 would keep its streams and their data.
    socket.once('end', () => socket.destroy())
    const connection: Connection = { open: 0, idleSince: performance.now() }
    const resets = new ResetCounter()
    session.on('stream', (stream: ServerHttp2Stream, _headers: IncomingHttpHeaders, flags: number, raw: string[]) => {
      connection.open++
      this.#open++
      const request = new Http2Stream(stream, forwarded, this.#parts)
      let isReset = false
      const reset = (): void => {
        if (isReset) return
        isReset = true
        if (resets.add()) this.#retire(session)
      }
      // Emitted while nghttp2 reads the frame, and so before it reads the next of a thousand resets.
      stream.on('aborted', () => {
        reset()
        // Now: its body looks complete, and a stream reset with NO_ERROR closes only once it is read, which may be
        // never.
        request.abort()
        stream.destroy()
      })
      stream.on('close', () => {
        request.abort()
        if (--connection.open === 0) connection.idleSince = performance.now()
        // Also a stream that Node regards as answered in full: the client reset it before it had read the response.
        if (stream.rstCode !== constants.NGHTTP2_NO_ERROR) reset()
        if (--this.#open === 0) this.#onIdle?.()
      })
      request.serve(flags, raw)
    })
    session.on('error', error => clientLog.warn(`HTTP/2 connection failed: ${error.message}`))
    session.on('frameError', () => session.destroy())
    session.once('close', () => this.#sessions.delete(session))
    this.#sessions.set(session, connection)
    // Not the session's own timeout: every frame restarts it, and it retains closed sessions.
    this.#sweep ??= setInterval(() => this.#closeIdle(), Math.ceil(limits.clientIdle / 4)).unref()
  }

  /** Closes connections without a stream for too long; stops when there are none. */
  #closeIdle(): void {
    const before = performance.now() - this.#parts.limits.clientIdle
    for (const [session, { open, idleSince }] of this.#sessions) {
      if (open > 0 || idleSince >= before) continue
      // A client may keep its side open: destroy the session at the next sweep.
      if (session.closed) session.destroy()
      else session.close()
    }
    if (this.#sessions.size > 0) return
    clearInterval(this.#sweep)
    this.#sweep = undefined
  }

  /** Accepts no new requests, waits a moment for those in flight, then closes all connections. */
  async close(): Promise<void> {
    clearInterval(this.#sweep)
    for (const session of this.#sessions.keys()) session.close()
    if (this.#open > 0) {
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, this.#parts.limits.closing)
        this.#onIdle = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    for (const session of this.#sessions.keys()) session.destroy()
  }

  /**
   * Makes a client that resets its streams fast open a new connection: a page that is reloaded repeatedly, or an attack
   * (CVE-2023-44487). GOAWAY without an error: open streams finish, and the client sends again what was not processed.
   */
  #retire(session: ServerHttp2Session): void {
    if (session.closed) return
    this.#parts.clientLog.warn('closed an HTTP/2 connection whose client resets streams too fast')
    session.close()
  }
}

function clientOf(socket: Socket): ClientAddress {
  const scheme = socket instanceof TLSSocket ? 'https' : 'http'
  return { remote: socket.remoteAddress ?? '127.0.0.1', port: socket.localPort ?? 443, scheme }
}

function optionsOf(limits: Limits) {
  return {
    // A page of a thousand modules is a thousand streams.
    settings: {
      enableConnectProtocol: true,
      maxConcurrentStreams: limits.h2Streams,
      initialWindowSize: limits.h2Window,
      maxHeaderListSize: limits.head,
    },
    maxHeaderListPairs: 1000,
    // MB for one connection: the heads of its streams, and unread data.
    maxSessionMemory: 128,
    maxSessionInvalidFrames: 100,
    ...resetOptions,
  }
}
