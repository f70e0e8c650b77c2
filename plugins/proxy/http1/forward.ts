import type { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import {
  type ConnectionHeader,
  type ForwardedFor,
  framingOf,
  moveLengthLast,
  pairsOf,
  type RawHeaders,
  requestHeaders,
  trailersOf,
} from '../message/headers.ts'
import { type PublicOrigin, publicFields } from '../message/public-urls.ts'
import type { ResponseHead } from '../message/response-head.ts'
import type { Destination } from '../routing/decision.ts'
import { copyPieces } from '../upstream/buffers.ts'
import type { Exchange, Sender } from '../upstream/exchange.ts'
import { type Failure, Forward } from '../upstream/forward.ts'

/** A request of node:http, and where it is forwarded to. */
export interface Http1Request {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly to: Destination
  /** Its header, for the service. */
  readonly fields: RawHeaders
  /** The origin under which the client sees the service. */
  readonly origin: PublicOrigin
  readonly forwardedFor: ForwardedFor
  readonly pool: Sender
  /** Called when the service sent no response. */
  readonly failed: (failure: Failure) => void
}

/** A request to switch protocols. */
export interface Upgrade {
  /** The requested protocol. */
  readonly protocol: string
  /** Called when the service has agreed; owns both connections. */
  readonly done: (head: ResponseHead, service: Socket, early: Buffer) => void
}

const nothing = Buffer.alloc(0)

/** Forwards a request of node:http to its service, and the response back, both as streams. */
export class Http1Forward extends Forward {
  readonly #request: Http1Request
  readonly #req: IncomingMessage
  readonly #res: ServerResponse
  readonly #upgrade: Upgrade | undefined
  #head: ResponseHead | undefined

  constructor(request: Http1Request, upgrade?: Upgrade) {
    const { req, to, pool } = request
    const framing = upgrade === undefined ? framingOf(req.rawHeaders) : 'none'
    super(to, { method: req.method ?? 'GET', framing, upgrade: upgrade?.protocol, source: req }, pool)
    this.#request = request
    this.#req = req
    this.#res = request.res
    this.#upgrade = upgrade
  }

  override start(): void {
    this.#res.once('close', this.#onClose)
    this.#res.on('drain', this.#onDrain)
    super.start()
  }

  // 103 and other hints are written directly: Node's writeEarlyHints validates their headers.
  interim({ status, reason, fields }: ResponseHead): void {
    if (this.#res.headersSent || this.#req.httpVersion !== '1.1') return
    if (status === 100) {
      if (this.#req.headers.expect !== undefined) this.#res.writeContinue()
      return
    }
    // A client that does not read gets no hints, so that they do not accumulate.
    const { socket } = this.#res
    if (socket?.writableNeedDrain === false) socket.write(`HTTP/1.1 ${status} ${reason}\r\n${fields}\r\n`, 'latin1')
  }

  head(head: ResponseHead): void {
    const fields = pairsOf(publicFields(head, this.#request.to, this.#request.origin))
    if (head.ending.by === 'chunks' && head.trailer !== undefined && this.#req.httpVersion === '1.1')
      fields.push('Trailer', head.trailer)
    // Without a 100 it is open whether the client sends the body.
    if (this.#req.headers.expect !== undefined && !this.#req.complete) fields.push('Connection', 'close')
    try {
      this.#res.writeHead(head.status, head.reason, moveLengthLast(fields))
      this.#head = head
    } catch {
      this.abort()
      this.stopUpload()
      this.fail({ kind: 'broken', detail: 'sent a response head that cannot be forwarded', again: false })
    }
  }

  flush(): boolean {
    const res = this.#res
    if (this.#head === undefined || res.destroyed || res.writableEnded) return true
    const pieces = this.pieces
    this.pieces = []
    // The head of an event stream must not wait for the first event. Not flushHeaders: it writes Latin-1 values as
    // UTF-8.
    if (pieces.length === 0 && !this.isComplete) return res.write(nothing)
    // The pieces are valid until this returns: write a copy.
    const { bytes, done } = copyPieces(pieces)
    const flows = bytes.length === 0 || res.write(bytes, done)
    if (!this.isComplete) return flows
    this.release()
    const pairs = this.#req.httpVersion === '1.1' ? trailersOf(this.trailers) : []
    if (pairs.length > 0) res.addTrailers(pairs)
    res.end()
    this.stopUpload()
    return true
  }

  switched(head: ResponseHead, service: Socket, early: Buffer): void {
    this.release()
    this.#upgrade?.done(head, service, early)
  }

  protected headFor(connection: ConnectionHeader): RawHeaders {
    const { fields, forwardedFor } = this.#request
    return requestHeaders(fields, this.#req.method ?? 'GET', forwardedFor, connection)
  }

  protected clientTrailers(): RawHeaders {
    return this.#req.rawTrailers
  }

  protected get hasBegun(): boolean {
    return this.#head !== undefined
  }

  protected get isClosed(): boolean {
    return this.#res.destroyed
  }

  protected fail(failure: Failure): void {
    this.#request.failed(failure)
  }

  protected cut(): void {
    const { socket } = this.#res
    const endsWithConnection = this.#head?.ending.by === 'close' || this.#req.httpVersion !== '1.1'
    // Over TLS a connection closed without close_notify is seen as cut off; Node throws on a reset there.
    if (endsWithConnection && socket instanceof Socket && !(socket instanceof TLSSocket)) socket.resetAndDestroy()
    else this.#res.destroy()
  }

  protected override release(): Exchange | undefined {
    this.#res.off('close', this.#onClose)
    this.#res.off('drain', this.#onDrain)
    return super.release()
  }

  readonly #onClose = (): void => this.abort()

  readonly #onDrain = (): void => {
    this.exchange?.resume()
  }
}
