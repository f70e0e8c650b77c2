import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import type { Log } from '../../../kernel/contract/plugin.ts'
import { messageOf } from '../../../kernel/errors.ts'
import type { Limits } from '../limits.ts'
import type { ClientAddress } from '../message/forwarded.ts'
import { eventStream } from '../message/request-head.ts'
import { type RequestInfo, requestInfoOf } from '../message/request-info.ts'
import * as errorPages from '../pages/errors.ts'
import { type LocalResponse, render } from '../pages/responses.ts'
import type { RateLimitedLog } from '../rate-limited-log.ts'
import type { Recorder } from '../recorder/recorder.ts'
import type { Recording } from '../recorder/recording.ts'
import type { RequestWatch } from '../request-watch.ts'
import type { Arrival, ReadArrival } from '../routing/arrival.ts'
import { type Attempt, contextOf, dispatch, type Forwarder } from '../routing/dispatch.ts'
import { isOwnTraffic, type RequestRouter } from '../routing/router.ts'
import { safeMethods } from '../upstream/forward.ts'
import type { InFlight } from '../upstream/in-flight.ts'
import type { UpstreamPool } from '../upstream/pool.ts'
import { Http1Forward, type Http1Request } from './forward.ts'
import { watchHalfClosed } from './half-close.ts'
import { framingError, rejectMalformed } from './malformed-request.ts'
import { Pipeline } from './pipeline.ts'
import { createDetachedResponse, EarlyData, serveAsPlain, tunnel, upgradeOf } from './upgrade.ts'

/** What all servers of the proxy share. */
export interface Http1Parts {
  readonly router: RequestRouter
  readonly limits: Limits
  readonly log: Log
  readonly clientLog: RateLimitedLog
  readonly inFlight: InFlight
  readonly pool: UpstreamPool
  /** Undefined where nothing is recorded. */
  readonly recorder: Recorder | undefined
  readonly requestWatch: RequestWatch
  readonly readArrival: ReadArrival
}

/** Serves HTTP/1.1 by node:http: every request that the fast path does not take. */
export class Http1Server {
  readonly #router: RequestRouter
  readonly #limits: Limits
  readonly #log: Log
  readonly #clientLog: RateLimitedLog
  readonly #inFlight: InFlight
  readonly #pool: UpstreamPool
  readonly #recorder: Recorder | undefined
  readonly #requestWatch: RequestWatch
  readonly #readArrival: ReadArrival
  readonly #server: Server
  readonly #pipelines = new Map<Duplex, Pipeline>()
  /** Requests that are not answered yet. */
  #open = 0
  #onIdle: (() => void) | undefined

  constructor(parts: Http1Parts) {
    const { router, limits, log, clientLog, inFlight, pool, recorder, requestWatch, readArrival } = parts
    this.#readArrival = readArrival
    this.#pool = pool
    this.#recorder = recorder
    this.#requestWatch = requestWatch
    this.#router = router
    this.#limits = limits
    this.#log = log
    this.#clientLog = clientLog
    this.#inFlight = inFlight
    this.#server = this.#createServer()
  }

  /**
   * Serves a connection whose first `bytes` were read already. @param attempt the failed attempt at the first request
   * in them
   */
  serve(socket: Socket, bytes: Buffer, attempt?: Attempt): void {
    this.#add(socket, attempt)
    if (bytes.length > 0) socket.unshift(bytes)
    this.#server.emit('connection', socket)
    socket.resume()
  }

  /** Creates a server that never listens: it is given connections. */
  #createServer(): Server {
    const limits = this.#limits
    const options = {
      maxHeaderSize: limits.head,
      headersTimeout: limits.headTimeout,
      // Uploads may be slow; only heads have a timeout.
      requestTimeout: 0,
      keepAliveTimeout: limits.clientIdle,
      connectionsCheckingInterval: Math.ceil(limits.headTimeout / 3),
      insecureHTTPParser: false,
      requireHostHeader: false,
      noDelay: true,
      // Node 24 asks before it releases the socket; older versions release it for any upgrade.
      shouldUpgradeCallback: (req: IncomingMessage) => upgradeOf(req) !== undefined,
    }
    const server = createServer(options)
    // Node would drop headers silently; the length of a head is limited anyway.
    server.maxHeadersCount = 0
    // A client may close its half once it has sent its request; the option is missing in Node's types.
    Object.assign(server, { httpAllowHalfOpen: true })
    server.on('connection', socket => this.#add(socket))
    server.on('request', (req, res) => this.#handle(req, res))
    server.on('checkContinue', (req, res) => this.#handle(req, res))
    server.on('checkExpectation', (req, res) => {
      this.#track(req, res)
      this.#respond(req, res, errorPages.unsupportedExpectation())
    })
    server.on('connect', req => this.#detached(req, res => this.#respond(req, res, errorPages.connectMethod())))
    server.on('upgrade', (req, _socket, head) => this.#upgrade(server, req, head))
    server.on('clientError', (error, socket) => {
      const parts = { limits, clientLog: this.#clientLog }
      rejectMalformed({ socket, error, pipeline: this.#pipelines.get(socket) }, parts)
    })
    // Starts Node's check for heads that take too long.
    server.emit('listening')
    return server
  }

  /** Waits a moment for requests in flight, then closes all connections. */
  async close(): Promise<void> {
    this.#server.close()
    if (this.#open > 0) {
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, this.#limits.closing)
        this.#onIdle = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    for (const socket of this.#pipelines.keys()) socket.destroy()
  }

  #add(socket: Socket, attempt?: Attempt): void {
    if (this.#pipelines.has(socket)) return
    const pipeline = new Pipeline(this.#limits, attempt)
    this.#pipelines.set(socket, pipeline)
    // Node removes its own listener from a connection that it releases, which may have to wait for earlier responses.
    socket.on('error', () => socket.destroy())
    socket.once('end', () => {
      if (socket.destroyed || pipeline.open.size === 0) return
      if (pipeline.hasEventStream) socket.destroy()
      else watchHalfClosed(socket, pipeline, this.#limits.halfClosed)
    })
    socket.once('close', () => {
      this.#pipelines.delete(socket)
      pipeline.abandonAll()
    })
  }

  #handle(req: IncomingMessage, res: ServerResponse): void {
    // Bytes after a rejected request are not a request (RFC 9112 section 9.6).
    if (this.#pipelines.get(req.socket)?.ending) return
    const isTaken = this.#track(req, res).enqueue(res, safeMethods.has(req.method ?? ''), () =>
      this.#route(req, res, request => {
        new Http1Forward(this.#tracked(request)).start()
      }),
    )
    if (isTaken) return
    this.#clientLog.warn(`closed a connection with more than ${this.#limits.pipelined} pipelined requests`)
    req.socket.destroy()
  }

  #upgrade(server: Server, req: IncomingMessage, head: Buffer): void {
    const protocol = upgradeOf(req)
    if (protocol === undefined) {
      serveAsPlain(server, req, head)
      return
    }
    this.#detached(req, res => {
      const early = new EarlyData(req.socket, head)
      this.#route(req, res, request => tunnel(request, protocol, early))
    })
  }

  /** Serves a socket that the server has released, after the responses to earlier requests. */
  #detached(req: IncomingMessage, use: (res: ServerResponse) => void): void {
    const pipeline = this.#pipelines.get(req.socket)
    if (pipeline?.ending) return
    const begin = (): void => {
      if (req.socket.destroyed) return
      // The server's timeout for idle connections.
      req.socket.setTimeout(0)
      const res = createDetachedResponse(req)
      this.#track(req, res)
      use(res)
    }
    if (pipeline === undefined) begin()
    else pipeline.afterOthers(undefined, begin)
  }

  #track(req: IncomingMessage, res: ServerResponse): Pipeline {
    const pipeline = this.#pipelines.get(req.socket) ?? new Pipeline(this.#limits, undefined)
    pipeline.open.add(res)
    this.#open++
    res.on('error', error => this.#clientLog.warn(`cannot write a response: ${messageOf(error)}`))
    res.once('close', () => {
      pipeline.closed(res)
      if (--this.#open === 0) this.#onIdle?.()
    })
    return pipeline
  }

  #route(req: IncomingMessage, res: ServerResponse, forward: (request: Http1Request) => void): void {
    const read = requestInfoOf(req.method ?? '', req.url ?? '', req.rawHeaders)
    const error = framingError(req) ?? (typeof read === 'string' ? errorPages.badRequest(read) : undefined)
    if (typeof read === 'string' || error !== undefined) {
      this.#respond(req, res, error ?? errorPages.internalError())
      return
    }
    const arrival = this.#readArrival(read, clientOf(req))
    if ('status' in arrival) return void this.#respond(req, res, arrival, read)
    const { info, client, origin } = arrival
    const key = this.#requestWatch.isOn ? this.#router.keyOf(info) : undefined
    if (key !== undefined) this.#requestWatch.show({ key, host: info.host, client: req.socket, fields: info.fields })
    const recording = this.#record(req, res, arrival)
    const forwarder: Forwarder = {
      isClosed: () => res.destroyed,
      respond: response => this.#respond(req, res, response, info, recording),
      forward: (to, failed) => {
        const pool = recording?.through(this.#pool, to) ?? this.#pool
        const forwardedFor = { ...client, host: info.host, hops: info.hops, prefix: to.prefix }
        forward({ req, res, to, pool, failed, fields: info.fields, origin, forwardedFor })
      },
    }
    const pipeline = this.#pipelines.get(req.socket)
    const attempt = pipeline?.attempt
    if (pipeline !== undefined) pipeline.attempt = undefined
    dispatch(this.#router, contextOf(info, client.scheme, res), forwarder, this.#log, attempt)
  }

  /** Begins to record a request; not those of the proxy's own pages. */
  #record(req: IncomingMessage, res: ServerResponse, { info, client }: Arrival): Recording | undefined {
    if (this.#recorder === undefined || isOwnTraffic(info)) return undefined
    const { method, path, host, fields } = info
    const head = { method, path, host, scheme: client.scheme, version: req.httpVersion, fields }
    const recording = this.#recorder.begin(head, performance.now())
    recording.entry.key = this.#router.keyOf(info)
    res.once('close', () => recording.closed())
    return recording
  }

  /** Counts a request as in flight until it is answered or fails; not an event stream, which has no end. */
  #tracked(request: Http1Request): Http1Request {
    if (request.req.headers.accept?.includes(eventStream)) return request
    const done = this.#inFlight.track(request.to.key)
    request.res.once('close', done)
    const failed: Http1Request['failed'] = failure => {
      request.res.off('close', done)
      done()
      request.failed(failure)
    }
    return { ...request, failed }
  }

  #respond(
    req: IncomingMessage,
    res: ServerResponse,
    response: LocalResponse,
    info?: RequestInfo,
    recording?: Recording,
  ): void {
    if (res.headersSent || res.destroyed) return void res.destroy()
    const { status, reason, headers, body } = render(response, info?.wantsHtml ?? false)
    // After such an error it is unknown where the next request begins, and whether an announced body follows.
    if (status === 400 || status === 501 || status === 505 || req.headers.expect !== undefined) {
      headers.push('Connection', 'close')
      const pipeline = this.#pipelines.get(req.socket)
      if (pipeline !== undefined) pipeline.ending = true
    }
    recording?.respond(status, reason, headers, body)
    res.writeHead(status, reason, headers)
    res.end(req.method === 'HEAD' ? undefined : body)
  }
}

function clientOf({ socket }: IncomingMessage): ClientAddress {
  const { remoteAddress: remote = '127.0.0.1', localPort: port = 80 } = socket
  return { remote, port, scheme: socket instanceof TLSSocket ? 'https' : 'http' }
}
