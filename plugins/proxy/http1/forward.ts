import type { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { chunkOf, lastChunk } from '../message/chunked.ts'
import {
  forNode,
  framingOf,
  headLines,
  type Link,
  type Passage,
  pairsOf,
  type RawHeaders,
  requestHeaders,
  trailersOf,
} from '../message/headers.ts'
import { publicFields } from '../message/public-urls.ts'
import type { ResponseHead } from '../message/response-head.ts'
import { type Destination, type Failure, failureOf } from '../routing/decision.ts'
import { copied, spent } from '../upstream/buffers.ts'
import type { Broken, Exchange, Receiver } from '../upstream/exchange.ts'
import type { Upstreams } from '../upstream/pool.ts'

/** One request on its way to a service. */
export interface Errand {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly to: Destination
  readonly passage: Passage
  readonly failed: (failure: Failure) => void
}

/** A request that asks for a switch of protocols. */
export interface Switch {
  /** What it asks for. */
  readonly protocol: string
  /** The service has agreed; both connections are the callee's. */
  readonly done: (head: ResponseHead, service: Socket, early: Buffer) => void
}

const nothing = Buffer.alloc(0)
/** Methods whose requests may be sent twice: those that change nothing (RFC 9110 section 9.2.1), as a crash leaves open what was done. */
export const safe: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

/**
 * Passes a request of the node:http lane to its service and the response back, both as streams. A request that may be repeated uses
 * a connection that is there, and is sent again if that proves stale; all others get a new one, on which that cannot happen.
 */
export function forward(errand: Errand, upstreams: Upstreams, change?: Switch): void {
  new Forward(errand, upstreams, change).start()
}

class Forward implements Receiver {
  readonly wire = false
  readonly #errand: Errand
  readonly #req: IncomingMessage
  readonly #res: ServerResponse
  readonly #upstreams: Upstreams
  readonly #change: Switch | undefined
  readonly #method: string
  readonly #framing: ReturnType<typeof framingOf>
  #exchange: Exchange | undefined
  #head: ResponseHead | undefined
  #pieces: Buffer[] = []
  #trailers: RawHeaders = []
  #ended = false
  #sentEarly = false
  #uploading = false
  /** It was sent on a connection that proved stale, and then on another. */
  #wasStale = false

  constructor(errand: Errand, upstreams: Upstreams, change: Switch | undefined) {
    this.#errand = errand
    this.#req = errand.req
    this.#res = errand.res
    this.#upstreams = upstreams
    this.#change = change
    this.#method = errand.req.method ?? 'GET'
    this.#framing = change === undefined ? framingOf(errand.req.rawHeaders) : 'none'
  }

  start(): void {
    this.#res.once('close', this.#left)
    this.#res.on('drain', this.#drained)
    this.#send(!this.#repeatable)
  }

  get #isH2c(): boolean {
    return this.#errand.to.protocol === 'h2c' && this.#change === undefined
  }

  /** Whether it may be sent twice. */
  get #repeatable(): boolean {
    return this.#framing === 'none' && safe.has(this.#method)
  }

  #send(fresh: boolean): void {
    const { to, passage } = this.#errand
    const hasBody = this.#framing !== 'none'
    const link: Link =
      this.#change !== undefined ? { upgrade: this.#change.protocol } : fresh && !this.#isH2c ? 'close' : 'keep-alive'
    const fields = requestHeaders(this.#req.rawHeaders, this.#method, passage, link)
    if (this.#isH2c) {
      const request = { method: this.#method, path: to.path, fields, hasBody, repeatable: this.#repeatable }
      this.#exchange = this.#upstreams.h2c.send(to.address, request, this)
    } else {
      const head = headLines(`${this.#method} ${to.path} HTTP/1.1`, fields)
      const bodyless = this.#method === 'HEAD'
      const request = { head, bodyless, hasBody, fresh, upgrade: this.#change !== undefined }
      this.#exchange = this.#upstreams.send(to.address, request, this)
    }
    // On a connection that was there already it was sent before this lane could know.
    if (this.#sentEarly) this.#upload()
  }

  sent(): void {
    if (this.#framing === 'none') return
    if (this.#exchange === undefined) this.#sentEarly = true
    else this.#upload()
  }

  drained(): void {
    this.#req.resume()
  }

  // 103 and its kin are written by hand: Node's writeEarlyHints would judge their headers.
  interim({ status, reason, fields }: ResponseHead): void {
    if (this.#res.headersSent || this.#req.httpVersion !== '1.1') return
    if (status === 100) {
      if (this.#req.headers.expect !== undefined) this.#res.writeContinue()
      return
    }
    // A client that does not read gets no hints, so that they pile up nowhere.
    const { socket } = this.#res
    if (socket?.writableNeedDrain === false) socket.write(`HTTP/1.1 ${status} ${reason}\r\n${fields}\r\n`, 'latin1')
  }

  head(head: ResponseHead): void {
    const fields = pairsOf(publicFields(head, this.#errand.to, this.#errand.passage))
    if (head.ending.by === 'chunks' && head.trailer !== undefined && this.#req.httpVersion === '1.1')
      fields.push('Trailer', head.trailer)
    // The client was not told to go on, so that it is open whether its body follows.
    if (this.#req.headers.expect !== undefined && !this.#req.complete) fields.push('Connection', 'close')
    try {
      this.#res.writeHead(head.status, head.reason, forNode(fields))
      this.#head = head
    } catch {
      this.#left()
      this.#drain()
      const detail = 'answered with a head that cannot be passed on'
      this.#errand.failed({ kind: 'broken', detail, again: false })
    }
  }

  body(bytes: Buffer, from: number, to: number): void {
    this.#pieces.push(bytes.subarray(from, to))
  }

  end(trailers: RawHeaders): void {
    this.#trailers = trailers
    this.#ended = true
  }

  flush(): boolean {
    const res = this.#res
    if (this.#head === undefined || res.destroyed || res.writableEnded) return true
    const pieces = this.#pieces
    this.#pieces = []
    // An event stream's head must not wait for its first event. Not flushHeaders: it writes Latin-1 values as UTF-8.
    if (pieces.length === 0 && !this.#ended) return res.write(nothing)
    // A copy: the pieces' bytes are the connection's, and the next read writes over them.
    const { bytes, done } = copied(pieces)
    const flows = bytes.length === 0 || res.write(bytes, done)
    if (!this.#ended) return flows
    this.#leave()
    const pairs = this.#req.httpVersion === '1.1' ? trailersOf(this.#trailers) : []
    if (pairs.length > 0) res.addTrailers(pairs)
    res.end()
    this.#drain()
    return true
  }

  failed(broken: Broken): void {
    this.#exchange = undefined
    // Once: a service of HTTP/2 may refuse without end.
    if (broken.kind === 'stale' && !this.#wasStale) {
      this.#wasStale = true
      return void this.#send(true)
    }
    this.#leave()
    this.#drain()
    if (this.#res.destroyed) return
    if (this.#head !== undefined) this.#cut(this.#head)
    else this.#errand.failed(failureOf(broken, { again: this.#repeatable, wasStale: this.#wasStale }))
  }

  switched(head: ResponseHead, service: Socket, early: Buffer): void {
    this.#leave()
    this.#change?.done(head, service, early)
  }

  #upload(): void {
    this.#uploading = true
    this.#req.on('data', this.#onData)
    this.#req.once('end', this.#onEnd)
  }

  readonly #onData = (piece: Buffer): void => {
    const framed = this.#framing === 'chunked' && !this.#isH2c ? chunkOf(piece) : piece
    if (this.#exchange?.write(framed) === false) this.#req.pause()
    // A chunk is a copy.
    spent(framed === piece ? piece.length : piece.length + framed.length)
  }

  readonly #onEnd = (): void => {
    const trailers = trailersOf(this.#req.rawTrailers)
    if (this.#framing === 'chunked' && !this.#isH2c) this.#exchange?.write(lastChunk(trailers))
    this.#exchange?.finish(trailers.flat())
  }

  /** Lets the client finish a body that is not wanted, so that it can read the answer. */
  #drain(): void {
    if (!this.#uploading) return
    this.#uploading = false
    this.#req.off('data', this.#onData)
    this.#req.off('end', this.#onEnd)
    this.#req.resume()
  }

  /** Ends the client's connection in the middle of a body so that it cannot be taken for the body's end. */
  #cut({ ending }: ResponseHead): void {
    const { socket } = this.#res
    const endsWithConnection = ending.by === 'close' || this.#req.httpVersion !== '1.1'
    // Over TLS a connection that ends without a goodbye is one that was cut; Node can reset none there, and throws.
    if (endsWithConnection && socket instanceof Socket && !(socket instanceof TLSSocket)) socket.resetAndDestroy()
    else this.#res.destroy()
  }

  /** The exchange is over for this request; what it was. */
  #leave(): Exchange | undefined {
    const exchange = this.#exchange
    this.#exchange = undefined
    this.#res.off('close', this.#left)
    this.#res.off('drain', this.#drained)
    return exchange
  }

  readonly #left = (): void => this.#leave()?.abort()

  readonly #drained = (): void => {
    this.#exchange?.resume()
  }
}
