import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { Log } from '../../../kernel/contract/plugin.ts'
import type { ForwardedHeaders } from '../message/forwarded.ts'
import { fieldsOf, type Http2Request, narrowOf, requestOf } from '../message/h2-headers.ts'
import { type RawHeaders, valuesOf } from '../message/headers.ts'
import { eventStream } from '../message/request-head.ts'
import { type RequestInfo, requestInfoOf } from '../message/request-info.ts'
import * as errorPages from '../pages/errors.ts'
import { type LocalResponse, render } from '../pages/responses.ts'
import type { Recorder } from '../recorder/recorder.ts'
import type { Recording } from '../recorder/recording.ts'
import type { RequestWatch } from '../request-watch.ts'
import type { ReadArrival } from '../routing/arrival.ts'
import type { Destination } from '../routing/decision.ts'
import { type Attempt, contextOf, dispatch, type Forwarder } from '../routing/dispatch.ts'
import { isOwnTraffic, type RequestRouter } from '../routing/router.ts'
import type { Sender } from '../upstream/exchange.ts'
import type { Failure } from '../upstream/forward.ts'
import type { InFlight } from '../upstream/in-flight.ts'
import type { UpstreamPool } from '../upstream/pool.ts'
import { Http2Forward, type Http2Target } from './forward.ts'

/** What a stream needs of the proxy. */
export interface Http2StreamParts {
  readonly router: RequestRouter
  readonly log: Log
  readonly pool: UpstreamPool
  readonly inFlight: InFlight
  /** Undefined where nothing is recorded. */
  readonly recorder: Recorder | undefined
  readonly requestWatch: RequestWatch
  readonly readArrival: ReadArrival
}

/** Serves one stream: routes its request, and responds or forwards it. */
export class Http2Stream {
  readonly #stream: ServerHttp2Stream
  readonly #forwarded: ForwardedHeaders
  readonly #parts: Http2StreamParts
  #forward: Http2Forward | undefined
  #recording: Recording | undefined
  #endInFlight: (() => void) | undefined

  constructor(stream: ServerHttp2Stream, forwarded: ForwardedHeaders, parts: Http2StreamParts) {
    this.#stream = stream
    this.#forwarded = forwarded
    this.#parts = parts
    // An error destroys the stream; 'close' handles the rest.
    stream.on('error', ignore)
  }

  /** @param flags of the HEADERS frame @param raw its header list */
  serve(flags: number, raw: readonly string[]): void {
    const more = (flags & constants.NGHTTP2_FLAG_END_STREAM) === 0
    if (more || !this.#serveFast(raw)) this.#dispatch(raw, more)
  }

  /** Cancels the request: the stream has closed. */
  abort(): void {
    this.#endInFlight?.()
    this.#recording?.closed()
    this.#forward?.abort()
  }

  /** Forwards a plain request to a running service with few changes to its lines. Returns false for all others. */
  #serveFast(raw: readonly string[]): boolean {
    const narrow = narrowOf(raw)
    if (narrow === undefined) return false
    const { method, path, host, fields } = narrow
    const { scheme } = this.#forwarded.client
    const to = this.#parts.router.destinationOf(host, path, scheme)
    if (to === undefined) return false
    this.#show(to.key, host, fields)
    const lines = this.#forwarded.lines(host, to.prefix)
    const as = `${method} ${to.path} HTTP/1.1\r\nhost: ${host}\r\n${fields}${lines}\r\n`
    const since = performance.now()
    const failed = (failure: Failure): void => this.#dispatch(raw, false, { to, since, failure })
    const request: Http2Request = { method, path, fields: [], body: 'none', protocol: undefined, trailers: [] }
    this.#recording = this.#parts.recorder?.begin({ method, path, host, scheme, version: '2', fields }, since)
    this.#startForward(request, { to, as, origin: { scheme, host }, pool: this.#poolFor(to), failed })
    return true
  }

  #dispatch(raw: readonly string[], more: boolean, attempt?: Attempt): void {
    const stream = this.#stream
    const received = requestOf(raw, more)
    if (typeof received === 'string') return void respondOn(stream, errorPages.badRequest(received))
    if (received.method === 'CONNECT') return void respondOn(stream, errorPages.connectMethod())
    const read = requestInfoOf(received.method, received.path, received.fields)
    if (typeof read === 'string') return void respondOn(stream, errorPages.badRequest(read))
    const arrival = this.#parts.readArrival(read, this.#forwarded.client)
    if ('status' in arrival) return void respondOn(stream, arrival, read)
    const { info, client, origin } = arrival
    const request = { ...received, fields: info.fields }
    if (request.body === 'chunked') {
      // They may arrive while the request is held.
      stream.once('trailers', (_headers: IncomingHttpHeaders, _flags: number, trailers: string[]) => {
        request.trailers = trailers
      })
    }
    const key = this.#parts.requestWatch.isOn ? this.#parts.router.keyOf(info) : undefined
    if (key !== undefined) this.#show(key, info.host, info.fields)
    if (!isOwnTraffic(info)) {
      const { method, path, host } = info
      const head = { method, path, host, scheme: client.scheme, version: '2', fields: request.fields }
      this.#recording ??= this.#parts.recorder?.begin(head, performance.now())
      if (this.#recording !== undefined) this.#recording.entry.key = this.#parts.router.keyOf(info)
    }
    const forwarder: Forwarder = {
      isClosed: () => isOver(stream) || stream.headersSent,
      respond: response => respondOn(stream, response, info, this.#recording),
      forward: (to, failed) => {
        const as = { ...client, host: info.host, hops: info.hops, prefix: to.prefix }
        this.#startForward(request, { to, as, origin, pool: this.#poolFor(to), failed })
      },
    }
    dispatch(this.#parts.router, contextOf(info, client.scheme, stream), forwarder, this.#parts.log, attempt)
  }

  #show(key: string, host: string, fields: string | RawHeaders): void {
    const { requestWatch } = this.#parts
    const client = requestWatch.isOn ? this.#stream.session?.socket : undefined
    if (client !== undefined) requestWatch.show({ key, host, client, fields })
  }

  #poolFor(to: Destination): Sender {
    return this.#recording?.through(this.#parts.pool, to) ?? this.#parts.pool
  }

  #startForward(request: Http2Request, { to, as, origin, pool, failed }: Http2Target): void {
    // Neither a WebSocket nor an event stream has an end to wait for.
    const ends = request.protocol === undefined && !accepts(request, as, eventStream)
    const endInFlight = ends ? this.#parts.inFlight.track(to.key) : undefined
    this.#endInFlight = endInFlight
    const target: Http2Target = {
      to,
      as,
      origin,
      pool,
      failed: failure => {
        endInFlight?.()
        failed(failure)
      },
    }
    this.#forward = new Http2Forward(this.#stream, request, target)
    this.#forward.start()
  }
}

function ignore(): void {}

function accepts(request: Http2Request, as: Http2Target['as'], type: string): boolean {
  return typeof as === 'string' ? as.includes(type) : valuesOf(request.fields, 'accept').some(it => it.includes(type))
}

/**
 * Whether no response can be sent: node:http2 throws both on a closed (reset) stream and, after its bytes were read, a
 * destroyed one.
 */
function isOver({ closed, destroyed }: ServerHttp2Stream): boolean {
  return closed || destroyed
}

/** Sends a response of the proxy itself, and discards the rest of the request's body. */
function respondOn(
  stream: ServerHttp2Stream,
  response: LocalResponse,
  info?: RequestInfo,
  recording?: Recording,
): void {
  if (isOver(stream) || stream.headersSent) return void stream.destroy()
  const { status, headers, body } = render(response, info?.wantsHtml ?? false)
  recording?.respond(status, '', headers, body)
  const isEmpty = info?.method === 'HEAD' || body.length === 0
  stream.respond({ ':status': status, ...fieldsOf(headers) }, { endStream: isEmpty })
  if (!isEmpty) stream.end(body)
  stream.resume()
}
