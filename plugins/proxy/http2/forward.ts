import { createHash, randomBytes } from 'node:crypto'
import type { OutgoingHttpHeaders, ServerHttp2Stream, ServerStreamResponseOptions } from 'node:http2'
import type { Socket } from 'node:net'
import { messageOf } from '../../../kernel/errors.ts'
import { fieldsOf, type Http2Request } from '../message/h2-headers.ts'
import {
  type ConnectionHeader,
  type ForwardedFor,
  type RawHeaders,
  requestHeaders,
  tokensOf,
  trailersOf,
  valuesOf,
} from '../message/headers.ts'
import { type PublicOrigin, publicFields } from '../message/public-urls.ts'
import type { ResponseHead } from '../message/response-head.ts'
import type { Destination } from '../routing/decision.ts'
import { copyPieces } from '../upstream/buffers.ts'
import type { Sender } from '../upstream/exchange.ts'
import { type Failure, Forward } from '../upstream/forward.ts'
import { splice } from '../upstream/splice.ts'

/** Where a stream's request is forwarded to. */
export interface Http2Target {
  readonly to: Destination
  /** What the service learns about the client, or the whole head, ready to be sent. */
  readonly as: ForwardedFor | string
  /** The origin under which the client sees the service. */
  readonly origin: PublicOrigin
  readonly pool: Sender
  /** Called when the service sent no response. */
  readonly failed: (failure: Failure) => void
}

// RFC 6455 section 1.3.
const webSocketGuid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** Forwards a stream's request to its service, and the response back. */
export class Http2Forward extends Forward {
  readonly #stream: ServerHttp2Stream
  readonly #request: Http2Request
  readonly #target: Http2Target
  readonly #webSocketKey: string
  #hasBegun = false
  #waitsForTrailers = false

  constructor(stream: ServerHttp2Stream, request: Http2Request, target: Http2Target) {
    const { method, body, protocol } = request
    super(target.to, { method, framing: body, upgrade: protocol, source: stream }, target.pool)
    this.#stream = stream
    this.#request = request
    this.#target = target
    this.#webSocketKey = protocol === undefined ? '' : randomBytes(16).toString('base64')
  }

  override start(): void {
    if (this.#target.to.protocol !== 'h2c' || this.#request.protocol === undefined) super.start()
    else this.fail({ kind: 'broken', detail: 'does not support WebSocket over h2c', again: false })
  }

  interim(head: ResponseHead): void {
    if (this.#stream.headersSent || this.#stream.destroyed) return
    if (head.status === 100 && valuesOf(this.#request.fields, 'expect').length === 0) return
    try {
      this.#stream.additionalHeaders(fieldsOf(head.fields, { ':status': head.status }))
    } catch {
      // A hint that node:http2 rejects is left out.
    }
  }

  head(head: ResponseHead): void {
    const { ending } = head
    const endStream = ending.by === 'nothing' || (ending.by === 'length' && ending.length === 0)
    const wantsTrailers = head.trailer !== undefined || tokensOf(this.#request.fields, 'te').includes('trailers')
    const waitForTrailers = ending.by === 'chunks' && wantsTrailers
    const { to, origin } = this.#target
    const headers = fieldsOf(publicFields(head, to, origin), { ':status': head.status })
    // node:http2 sends no body after it (RFC 9110 section 15.3.6).
    if (head.status === 205) delete headers['content-length']
    const announced = head.trailer !== undefined && waitForTrailers ? { ...headers, trailer: head.trailer } : headers
    if (!this.#respond(announced, { endStream, waitForTrailers })) return
    this.#waitsForTrailers = waitForTrailers
    if (waitForTrailers) this.#stream.once('wantTrailers', () => this.#sendTrailers())
  }

  #sendTrailers(): void {
    try {
      this.#stream.sendTrailers(fieldsOf(trailersOf(this.trailers).flat()))
    } catch (error) {
      this.#stream.destroy(new Error(`sent trailers that cannot be forwarded: ${messageOf(error)}`))
    }
    setImmediate(() => this.#discardUpload())
  }

  /** Sends the head. Returns false where node:http2 rejects it or the client has disconnected: the request is over. */
  #respond(headers: OutgoingHttpHeaders, options: ServerStreamResponseOptions = {}): boolean {
    try {
      this.#stream.respond(headers, options)
      this.#hasBegun = true
      return true
    } catch {
      this.abort()
      this.fail({ kind: 'broken', detail: 'sent a response head that cannot be forwarded', again: false })
      return false
    }
  }

  override body(bytes: Buffer, from: number, to: number): void {
    if (!this.#stream.writableEnded) super.body(bytes, from, to)
  }

  override end(trailers: RawHeaders): void {
    super.end(trailers)
    this.release()
  }

  flush(): boolean {
    const pieces = this.pieces
    if (this.#stream.destroyed || (pieces.length === 0 && !this.isComplete)) return true
    this.pieces = []
    // The pieces are valid until this returns: write a copy.
    const { bytes, done } = copyPieces(pieces)
    if (!this.isComplete) {
      const flows = this.#stream.write(bytes, done)
      if (!flows) this.#stream.once('drain', this.#onDrain)
      return flows
    }
    if (!this.#stream.writableEnded) {
      if (bytes.length === 0) this.#stream.end()
      else this.#stream.end(bytes, done)
    }
    if (!this.#waitsForTrailers) this.#discardUpload()
    return true
  }

  /** RFC 8441 section 5: the stream replaces the connection. */
  switched(head: ResponseHead, socket: Socket, early: Buffer): void {
    this.release()
    const { 'sec-websocket-accept': accept, ...fields } = fieldsOf(head.fields)
    if (accept !== acceptOf(this.#webSocketKey)) {
      socket.destroy()
      this.fail({ kind: 'broken', detail: 'accepted a WebSocket with an invalid key', again: false })
      return
    }
    if (!this.#respond({ ':status': 200, ...fields })) return void socket.destroy()
    if (early.length > 0) this.#stream.write(early)
    const fromClient = Buffer.alloc(0)
    this.#target.pool.joined?.({ client: this.#stream, service: socket, fromClient, fromService: early })
    splice(this.#stream, socket)
    splice(socket, this.#stream)
  }

  protected headFor(connection: ConnectionHeader): RawHeaders | string {
    const { method, fields, protocol } = this.#request
    const { as } = this.#target
    if (typeof as === 'string') return as
    const all = protocol === undefined ? fields : [...fields, 'sec-websocket-key', this.#webSocketKey]
    return requestHeaders(all, method, as, connection)
  }

  protected clientTrailers(): RawHeaders {
    return this.#request.trailers
  }

  protected get hasBegun(): boolean {
    return this.#hasBegun
  }

  protected get isClosed(): boolean {
    return this.#stream.destroyed
  }

  protected fail(failure: Failure): void {
    this.#target.failed(failure)
  }

  // Not close(): that would end the body as if it were complete.
  protected cut(detail: string): void {
    this.#stream.destroy(new Error(detail))
  }

  /**
   * Discards the rest of the request's body after the response, and resets the stream with NO_ERROR (RFC 9113 section
   * 8.1).
   */
  #discardUpload(): void {
    if (!this.isUploading) return
    this.stopUpload()
    if (!this.#stream.readableEnded) this.#stream.close()
  }

  readonly #onDrain = (): void => {
    this.exchange?.resume()
  }
}

function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}${webSocketGuid}`).digest('base64')
}
