import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { chunkOf, lastChunk } from '../message/chunked.ts'
import { type ConnectionHeader, type Framing, headLines, type RawHeaders, trailersOf } from '../message/headers.ts'
import type { ResponseHead } from '../message/response-head.ts'
import {
  closedEarly,
  type Exchange,
  type ExchangeFailure,
  type Receiver,
  type Sender,
  type Target,
} from './exchange.ts'

/**
 * Methods that change nothing (RFC 9110 section 9.2.1), whose requests may be sent twice: after a crash it is unknown
 * what was done.
 */
export const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

/** A client's request, in any version of HTTP. */
export interface ClientRequest {
  readonly method: string
  /** How its body is framed for a service that speaks HTTP/1.1. */
  readonly framing: Framing
  /** The protocol it asks to switch to. */
  readonly upgrade: string | undefined
  /** Emits its body. */
  readonly source: Readable
}

/**
 * Why a service sent no response. `refused`: no connection could be made and no body was read, so the request may be
 * retried; `sent`: an earlier attempt reached a connection that proved stale. `broken`: the request was sent; `again`:
 * it may be retried all the same (RFC 9110 section 9.2.1), and no body of it was read.
 */
export type Failure =
  | { readonly kind: 'refused'; readonly sent: boolean }
  | { readonly kind: 'broken'; readonly detail: string; readonly again: boolean }

/**
 * Sends a client's request to its service: the rules that do not depend on the client's version of HTTP. A request that
 * may be sent twice uses an idle connection, and is sent again if that proves stale; all others get a new connection,
 * which cannot be stale.
 */
export abstract class Forward implements Receiver {
  readonly wire = false
  protected exchange: Exchange | undefined
  /** The response's body since the last `flush`; valid until that returns. */
  protected pieces: Buffer[] = []
  /** The response's trailers, once it is complete. */
  protected trailers: RawHeaders = []
  protected isComplete = false
  protected isUploading = false
  readonly #target: Target
  readonly #request: ClientRequest
  readonly #pool: Sender
  #sentEarly = false
  #wasStale = false

  constructor(target: Target, request: ClientRequest, pool: Sender) {
    this.#target = target
    this.#request = request
    this.#pool = pool
  }

  start(): void {
    this.#send(!this.#isRepeatable)
  }

  /** Cancels the request: its client has disconnected. */
  abort(): void {
    this.release()?.abort()
  }

  /** Returns the request's fields for the service, or its whole head where that is ready. */
  protected abstract headFor(connection: ConnectionHeader): RawHeaders | string
  /** Returns the trailers that the client sent after the body. */
  protected abstract clientTrailers(): RawHeaders
  /** Reports that the service sent no response. */
  protected abstract fail(failure: Failure): void
  /** Cuts off a response that has begun, so that the client cannot take it for complete. */
  protected abstract cut(detail: string): void
  /** Whether the client has received the head of a response, or has disconnected. */
  protected abstract get hasBegun(): boolean
  protected abstract get isClosed(): boolean

  abstract interim(head: ResponseHead): void
  abstract head(head: ResponseHead): void
  abstract flush(): boolean
  abstract switched(head: ResponseHead, socket: Socket, early: Buffer): void

  body(bytes: Buffer, from: number, to: number): void {
    this.pieces.push(bytes.subarray(from, to))
  }

  end(trailers: RawHeaders): void {
    this.trailers = trailers
    this.isComplete = true
  }

  sent(): void {
    if (this.#request.framing === 'none') return
    if (this.exchange === undefined) this.#sentEarly = true
    else this.#upload()
  }

  drained(): void {
    this.#request.source.resume()
  }

  failed(failure: ExchangeFailure): void {
    this.exchange = undefined
    // Once: a service of HTTP/2 may refuse without end.
    if (failure.kind === 'stale' && !this.#wasStale) {
      this.#wasStale = true
      return void this.#send(true)
    }
    this.release()
    this.stopUpload()
    if (this.isClosed) return
    if (this.hasBegun) this.cut('detail' in failure ? failure.detail : closedEarly)
    else this.fail(this.#toFailure(failure))
  }

  /** Detaches the exchange from this request, and returns it. */
  protected release(): Exchange | undefined {
    const { exchange } = this
    this.exchange = undefined
    return exchange
  }

  /** Discards the rest of the request's body, so that the client can read the response. */
  protected stopUpload(): void {
    if (!this.isUploading) return
    this.isUploading = false
    const { source } = this.#request
    source.off('data', this.#onData)
    source.off('end', this.#onEnd)
    source.resume()
  }

  get #isH2c(): boolean {
    return this.#target.protocol === 'h2c' && this.#request.upgrade === undefined
  }

  /** Whether the request may be sent twice. */
  get #isRepeatable(): boolean {
    const { framing, method } = this.#request
    return framing === 'none' && safeMethods.has(method)
  }

  #send(fresh: boolean): void {
    const { method, framing, upgrade } = this.#request
    const { address, path } = this.#target
    const hasBody = framing !== 'none'
    // Never `close`: a server that responds early and closes at once may discard its response.
    const fields = this.headFor(upgrade === undefined ? 'keep-alive' : { upgrade })
    if (this.#isH2c && typeof fields !== 'string') {
      const request = { protocol: 'h2c', method, path, fields, hasBody, repeatable: this.#isRepeatable } as const
      this.exchange = this.#pool.send(address, request, this)
    } else {
      const head = typeof fields === 'string' ? fields : headLines(`${method} ${path} HTTP/1.1`, fields)
      const bodyless = method === 'HEAD'
      const request = { protocol: 'http/1.1', head, bodyless, hasBody, fresh, upgrade: upgrade !== undefined } as const
      this.exchange = this.#pool.send(address, request, this)
    }
    // An idle connection calls `sent` before `send` returns.
    if (this.#sentEarly) this.#upload()
  }

  #upload(): void {
    this.isUploading = true
    this.#request.source.on('data', this.#onData)
    this.#request.source.once('end', this.#onEnd)
  }

  get #isChunked(): boolean {
    return this.#request.framing === 'chunked' && !this.#isH2c
  }

  readonly #onData = (piece: Buffer): void => {
    const framed = this.#isChunked ? chunkOf(piece) : piece
    if (this.exchange?.write(framed) === false) this.#request.source.pause()
    // A chunk is a copy.
    this.#pool.discarded(framed === piece ? piece.length : piece.length + framed.length)
  }

  readonly #onEnd = (): void => {
    const trailers = trailersOf(this.clientTrailers())
    if (this.#isChunked) this.exchange?.write(lastChunk(trailers))
    this.exchange?.finish(trailers.flat())
  }

  #toFailure(failure: ExchangeFailure): Failure {
    if (failure.kind === 'refused') return { kind: 'refused', sent: this.#wasStale }
    if (failure.kind === 'stale') return { kind: 'broken', detail: closedEarly, again: false }
    const again = failure.kind === 'broken' && this.#isRepeatable && !this.#wasStale
    return { kind: 'broken', detail: failure.detail, again }
  }
}
