import type { Socket } from 'node:net'
import type { Limits } from '../limits.ts'
import { trailerLines } from '../message/chunked.ts'
import { ForwardedHeaders, headForService } from '../message/forwarded.ts'
import { type RawHeaders, trailersOf } from '../message/headers.ts'
import { publicFields } from '../message/public-urls.ts'
import { type NarrowRequest, readRequest } from '../message/request-head.ts'
import type { Ending, ResponseHead } from '../message/response-head.ts'
import type { Recorder } from '../recorder/recorder.ts'
import type { RequestWatch } from '../request-watch.ts'
import type { Destination } from '../routing/decision.ts'
import type { Attempt } from '../routing/dispatch.ts'
import type { RequestRouter } from '../routing/router.ts'
import { closedEarly, type Exchange, type ExchangeFailure, type Receiver } from '../upstream/exchange.ts'
import type { InFlight, InFlightRequest } from '../upstream/in-flight.ts'
import type { UpstreamPool } from '../upstream/pool.ts'
import { type ResponseState, watchHalfClosed } from './half-close.ts'
import { ResponseWriter } from './response-writer.ts'

/** What the fast path needs of the proxy. */
export interface FastParts {
  readonly router: RequestRouter
  readonly pool: UpstreamPool
  readonly inFlight: InFlight
  readonly limits: Limits
  /** Undefined where nothing is recorded. */
  readonly recorder: Recorder | undefined
  readonly requestWatch: RequestWatch
  /** Takes a connection, with its unanswered bytes and the failed attempt at the first request in them. */
  readonly handOver: (socket: Socket, bytes: Buffer, attempt?: Attempt) => void
  readonly closed: (connection: FastConnection) => void
}

/** Bytes that a client may send ahead while its request is answered. */
const maxAhead = 64 * 1024
const noBytes = Buffer.alloc(0)

/**
 * A client's connection while its requests are of the narrow grammar and for running services: heads are copied with
 * few changes, bodies forwarded as they are. The first other request is handed over to node:http together with the
 * connection, unanswered; so is one whose service fails to respond, since it may be retried.
 */
export class FastConnection implements Receiver, InFlightRequest, ResponseState {
  readonly wire = true
  /** When its last request was answered, or it was accepted: performance.now(). */
  lastActive = performance.now()
  /** When its current request was forwarded. */
  since = 0
  /** Whether it has sent nothing yet. */
  isSilent = true
  readonly #socket: Socket
  readonly #scheme: 'http' | 'https'
  readonly #parts: FastParts
  readonly #writer: ResponseWriter
  #forwarded: ForwardedHeaders | undefined
  #exchange: Exchange | undefined
  #request: NarrowRequest | undefined
  #to: Destination | undefined
  #response: ResponseHead | undefined
  /** When the response's head came: performance.now(); 0 within the event in which it came. */
  #headAt = 0
  /** Of the response's body as it is on the wire. */
  #bytes = 0
  #ahead: Buffer = noBytes
  #ending: Ending['by'] | undefined
  #isHandedOver = false
  #isHalfClosed = false
  #isEventStream = false

  /** @param flows whether the socket emits its data; otherwise the server calls `read` */
  constructor(socket: Socket, scheme: 'http' | 'https', parts: FastParts, flows: boolean) {
    this.#socket = socket
    this.#scheme = scheme
    this.#parts = parts
    this.#writer = new ResponseWriter(socket)
    if (flows) socket.on('data', this.read)
    socket.on('drain', this.#onDrain)
    socket.on('end', this.#onEnd)
    socket.on('error', this.#onError)
    socket.on('close', this.#onClose)
  }

  /** Whether a request is in flight. */
  get isBusy(): boolean {
    return this.#request !== undefined
  }

  destroy(): void {
    this.#socket.destroy()
  }

  hasBegun(): boolean {
    return this.#ending !== undefined
  }

  canSendInterim(): boolean {
    return this.#request !== undefined && this.#ending === undefined
  }

  interim(head: ResponseHead): void {
    // No request here waits for a 100. A client that does not read gets no hints, so that they do not accumulate.
    if (head.status === 100 || this.#socket.writableNeedDrain) return
    this.#writer.addHead(`HTTP/1.1 ${head.status} ${head.reason}\r\n${head.fields}\r\n`)
  }

  head(head: ResponseHead): void {
    const { by } = head.ending
    this.#ending = by
    this.#response = head
    let text = `HTTP/1.1 ${head.status} ${head.reason}\r\n${this.#fieldsOf(head)}`
    if (this.#request?.close === true) text += 'Connection: close\r\n'
    if (by === 'chunks' && head.trailer !== undefined) text += `Trailer: ${head.trailer}\r\n`
    if (by === 'chunks' || by === 'close') text += 'Transfer-Encoding: chunked\r\n'
    this.#writer.addHead(`${text}\r\n`)
  }

  #fieldsOf(head: ResponseHead): string {
    const to = this.#to
    const request = this.#request
    if (to === undefined || request === undefined) return head.fields
    return publicFields(head, to, { scheme: this.#scheme, host: request.host })
  }

  body(bytes: Buffer, from: number, to: number): void {
    this.#bytes += to - from
    if (this.#ending === 'close') this.#writer.addChunk(bytes, from, to)
    else this.#writer.addBytes(bytes, from, to)
  }

  end(trailers: RawHeaders, size?: number): void {
    const now = performance.now()
    this.lastActive = now
    if (this.#headAt === 0) this.#headAt = now
    if (size !== undefined) this.#bytes = size
    if (this.#ending === 'close') this.#writer.addEnd('0\r\n\r\n')
    else if (this.#ending === 'chunks') this.#writer.addEnd(trailerLines(trailersOf(trailers)))
    this.flush()
    const close = this.#request?.close === true || (this.#isHalfClosed && this.#ahead.length === 0)
    this.#endInFlight()
    this.#record(now, undefined)
    this.#exchange = undefined
    this.#request = undefined
    this.#ending = undefined
    if (close) this.#socket.end(() => this.#socket.destroySoon())
    else if (!this.#socket.writableNeedDrain) this.#next()
  }

  flush(): boolean {
    if (this.#headAt === 0 && this.#response !== undefined) this.#headAt = performance.now()
    return this.#writer.flush()
  }

  failed(failure: ExchangeFailure): void {
    this.#endInFlight()
    this.#exchange = undefined
    // Within a response the close cannot be taken for the body's end: all bodies are framed here.
    if (this.#ending !== undefined) {
      this.#record(performance.now(), 'detail' in failure ? failure.detail : closedEarly)
      this.#socket.destroy()
    } else {
      const bytes = Buffer.concat([Buffer.from(this.#request?.text ?? '', 'latin1'), this.#ahead])
      this.#handOver(bytes, this.#attemptFor(failure))
    }
  }

  /**
   * Describes the attempt to node:http, which retries only what may be retried, and never after an invalid response.
   */
  #attemptFor(failure: ExchangeFailure): Attempt | undefined {
    if (this.#to === undefined) return undefined
    const { since } = this
    const to = this.#to
    if (failure.kind === 'stale') return { to, since, failure }
    if (failure.kind === 'refused') return { to, since, failure: { kind: 'refused', sent: false } }
    return { to, since, failure: { kind: 'broken', detail: failure.detail, again: failure.kind === 'broken' } }
  }

  /**
   * Reads the first `count` bytes, which are valid until it returns. Returns false once the connection was handed over.
   */
  readonly read = (bytes: Buffer, count = bytes.length): boolean => {
    if (this.#isHandedOver) return false
    if (this.#request === undefined && this.#ahead.length === 0) this.#take(bytes, count)
    else {
      this.#ahead = Buffer.concat([this.#ahead, bytes.subarray(0, count)])
      if (this.#ahead.length > maxAhead) this.#socket.pause()
    }
    return true
  }

  /** Reads one request and forwards it. Pipelined requests are handed over: node:http serves them concurrently. */
  #take(bytes: Buffer, count: number): void {
    this.isSilent = false
    const request = readRequest(bytes, count)
    const { router, pool, recorder, requestWatch } = this.#parts
    // Where more of an exchange is recorded than numbers and heads, node:http serves it.
    const isPlain =
      typeof request === 'object' && !(recorder !== undefined && (recorder.wantsBodies || request.forEvents))
    const isSingle = isPlain && request.end === count
    const to = isSingle ? router.destinationOf(request.host, request.path, this.#scheme) : undefined
    if (!isSingle || to === undefined) return void this.#handOver(Buffer.from(bytes.subarray(0, count)))
    if (requestWatch.isOn)
      requestWatch.show({ key: to.key, host: request.host, client: this.#socket, fields: request.fields })
    this.#request = request
    this.#to = to
    this.since = performance.now()
    this.#headAt = 0
    this.#bytes = 0
    this.#isEventStream = request.forEvents
    if (!this.#isEventStream) this.#parts.inFlight.begin(to.key, this)
    this.#forwarded ??= this.#makeForwarded()
    const head = headForService(request, to, this.#forwarded)
    this.#exchange = pool.send(
      to.address,
      { protocol: 'http/1.1', head, bodyless: request.head, hasBody: false, fresh: false, upgrade: false },
      this,
    )
  }

  /** Records the current request, which is over. */
  #record(endAt: number, error: string | undefined): void {
    const { recorder } = this.#parts
    const response = this.#response
    this.#response = undefined
    const request = this.#request
    const to = this.#to
    const forwarded = this.#forwarded
    if (recorder === undefined || request === undefined || to === undefined || forwarded === undefined) return
    const [scheme, since, headAt, bytes] = [this.#scheme, this.since, this.#headAt, this.#bytes]
    recorder.add({ request, scheme, to, forwarded, since, headAt, endAt, response, bytes, error })
  }

  #endInFlight(): void {
    if (this.#request !== undefined && this.#to !== undefined) this.#parts.inFlight.end(this.#to.key, this)
  }

  #next(): void {
    const bytes = this.#ahead
    if (bytes.length === 0) return
    this.#ahead = noBytes
    if (this.#socket.isPaused()) this.#socket.resume()
    this.#take(bytes, bytes.length)
  }

  #handOver(bytes: Buffer, attempt?: Attempt): void {
    this.#detach()
    if (!this.#socket.destroyed) this.#parts.handOver(this.#socket, bytes, attempt)
  }

  #detach(): void {
    const socket = this.#socket
    this.#isHandedOver = true
    socket.off('data', this.read)
    socket.off('drain', this.#onDrain)
    socket.off('end', this.#onEnd)
    socket.off('error', this.#onError)
    socket.off('close', this.#onClose)
    this.#parts.closed(this)
  }

  #makeForwarded(): ForwardedHeaders {
    const { remoteAddress: remote = '127.0.0.1', localPort: port = 80 } = this.#socket
    return new ForwardedHeaders({ remote, port, scheme: this.#scheme })
  }

  readonly #onDrain = (): void => {
    if (this.#exchange !== undefined) this.#exchange.resume()
    else if (this.#request === undefined) this.#next()
  }

  /** A client that closes its half may wait for its response; not for an event stream, which has no end. */
  readonly #onEnd = (): void => {
    this.#isHalfClosed = true
    if (this.#request === undefined) this.#socket.end(() => this.#socket.destroySoon())
    else if (this.#isEventStream) this.#socket.destroy()
    else watchHalfClosed(this.#socket, this, this.#parts.limits.halfClosed)
  }

  readonly #onError = (): void => {
    this.#socket.destroy()
  }

  readonly #onClose = (): void => {
    this.#endInFlight()
    if (this.#exchange !== undefined) this.#record(performance.now(), 'the client disconnected')
    this.#exchange?.abort()
    this.#exchange = undefined
    this.#detach()
  }
}
