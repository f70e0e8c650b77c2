import { createHash, randomBytes } from 'node:crypto'
import type { OutgoingHttpHeaders, ServerHttp2Stream, ServerStreamResponseOptions } from 'node:http2'
import type { Socket } from 'node:net'
import { messageOf } from '../../../kernel/errors.ts'
import { safe } from '../http1/forward.ts'
import { splice } from '../http1/upgrade.ts'
import { chunkOf, lastChunk } from '../message/chunked.ts'
import { fieldsOf, type H2Request } from '../message/h2-headers.ts'
import {
  headLines,
  type Passage,
  type RawHeaders,
  requestHeaders,
  tokensOf,
  trailersOf,
  valuesOf,
} from '../message/headers.ts'
import { type PublicPlace, publicFields } from '../message/public-urls.ts'
import type { ResponseHead } from '../message/response-head.ts'
import { type Destination, type Failure, failureOf } from '../routing/decision.ts'
import { copied, spent } from '../upstream/buffers.ts'
import type { Broken, Exchange, Receiver } from '../upstream/exchange.ts'
import type { Upstreams } from '../upstream/pool.ts'

/** Where a request goes, as whom, and who is told that it came to nothing. */
export interface H2Way {
  readonly to: Destination
  /** What the service is told of the client, or the whole head, ready to be sent. */
  readonly as: Passage | string
  /** What the client sees of the service. */
  readonly seen: PublicPlace
  readonly failed: (failure: Failure) => void
}

// RFC 6455 section 1.3.
const webSocket = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** Passes a stream to its service as HTTP/1.1, and the response back. */
export class H2Errand implements Receiver {
  readonly wire = false
  readonly #stream: ServerHttp2Stream
  readonly #request: H2Request
  readonly #way: H2Way
  readonly #upstreams: Upstreams
  readonly #key: string
  #exchange: Exchange | undefined
  #trailers: RawHeaders = []
  #pieces: Buffer[] = []
  #ended = false
  #sentEarly = false
  #uploading = false
  #waitsForTrailers = false
  /** It was sent on a connection that proved stale, and then on another. */
  #wasStale = false

  constructor(stream: ServerHttp2Stream, request: H2Request, way: H2Way, upstreams: Upstreams) {
    this.#stream = stream
    this.#request = request
    this.#way = way
    this.#upstreams = upstreams
    this.#key = request.protocol === undefined ? '' : randomBytes(16).toString('base64')
  }

  start(): void {
    if (this.#isH2c && this.#request.protocol !== undefined) {
      this.#way.failed({ kind: 'broken', detail: 'speaks h2c, and so no WebSocket', again: false })
      return
    }
    this.#send(!this.#repeatable)
  }

  /** The stream has closed. */
  left(): void {
    this.#leave()?.abort()
  }

  get #isH2c(): boolean {
    return this.#way.to.protocol === 'h2c'
  }

  /** Whether it may be sent twice. */
  get #repeatable(): boolean {
    const { method, body, protocol } = this.#request
    return body === 'none' && protocol === undefined && safe.has(method)
  }

  #send(fresh: boolean): void {
    const { method, fields, body, protocol } = this.#request
    const { to, as } = this.#way
    if (typeof as === 'string') {
      const request = { head: as, bodyless: method === 'HEAD', hasBody: false, fresh, upgrade: false }
      this.#exchange = this.#upstreams.send(to.address, request, this)
      return
    }
    // Also where it ends with the request: a server that answers early and closes at once may take its answer back.
    const link = protocol !== undefined ? { upgrade: protocol } : 'keep-alive'
    const own = protocol === undefined ? fields : [...fields, 'sec-websocket-key', this.#key]
    const headers = requestHeaders(own, method, as, link)
    const hasBody = body !== 'none'
    if (this.#isH2c) {
      const request = { method, path: to.path, fields: headers, hasBody, repeatable: this.#repeatable }
      this.#exchange = this.#upstreams.h2c.send(to.address, request, this)
    } else {
      const head = headLines(`${method} ${to.path} HTTP/1.1`, headers)
      const request = { head, bodyless: method === 'HEAD', hasBody, fresh, upgrade: protocol !== undefined }
      this.#exchange = this.#upstreams.send(to.address, request, this)
    }
    // On a connection that was there already it was sent before this lane could know.
    if (this.#sentEarly) this.#upload()
  }

  sent(): void {
    if (this.#request.body === 'none') return
    if (this.#exchange === undefined) this.#sentEarly = true
    else this.#upload()
  }

  drained(): void {
    this.#stream.resume()
  }

  interim(head: ResponseHead): void {
    if (this.#stream.headersSent || this.#stream.destroyed) return
    if (head.status === 100 && valuesOf(this.#request.fields, 'expect').length === 0) return
    try {
      this.#stream.additionalHeaders(fieldsOf(head.fields, { ':status': head.status }))
    } catch {
      // A hint that cannot be passed on is left out.
    }
  }

  head(head: ResponseHead): void {
    const { ending } = head
    const endStream = ending.by === 'nothing' || (ending.by === 'length' && ending.length === 0)
    const asked = head.trailer !== undefined || tokensOf(this.#request.fields, 'te').includes('trailers')
    const waitForTrailers = ending.by === 'chunks' && asked
    const { to, seen } = this.#way
    const headers = fieldsOf(publicFields(head, to, seen), { ':status': head.status })
    // node:http2 sends no body after it (RFC 9110 section 15.3.6).
    if (head.status === 205) delete headers['content-length']
    const announced = head.trailer !== undefined && waitForTrailers ? { ...headers, trailer: head.trailer } : headers
    if (!this.#respond(announced, { endStream, waitForTrailers })) return
    this.#waitsForTrailers = waitForTrailers
    if (waitForTrailers) {
      this.#stream.once('wantTrailers', () => {
        try {
          this.#stream.sendTrailers(fieldsOf(trailersOf(this.#trailers).flat()))
        } catch (error) {
          this.#stream.destroy(new Error(`sent trailers that cannot be passed on: ${messageOf(error)}`))
        }
        setImmediate(() => this.#dismiss())
      })
    }
  }

  /** False: node:http2 does not take the head, or the client has left; the errand is over. */
  #respond(headers: OutgoingHttpHeaders, options: ServerStreamResponseOptions = {}): boolean {
    try {
      this.#stream.respond(headers, options)
      return true
    } catch {
      this.#leave()?.abort()
      this.#way.failed({ kind: 'broken', detail: 'answered with a head that cannot be passed on', again: false })
      return false
    }
  }

  body(bytes: Buffer, from: number, to: number): void {
    if (!this.#stream.writableEnded) this.#pieces.push(bytes.subarray(from, to))
  }

  end(trailers: RawHeaders): void {
    this.#trailers = trailers
    this.#ended = true
    this.#exchange = undefined
  }

  flush(): boolean {
    const pieces = this.#pieces
    if (this.#stream.destroyed || (pieces.length === 0 && !this.#ended)) return true
    this.#pieces = []
    // A copy: the pieces' bytes are the connection's, and the next read writes over them.
    const { bytes, done } = copied(pieces)
    if (!this.#ended) {
      const flows = this.#stream.write(bytes, done)
      if (!flows) this.#stream.once('drain', this.#onDrain)
      return flows
    }
    this.#leave()
    if (!this.#stream.writableEnded) {
      if (bytes.length === 0) this.#stream.end()
      else this.#stream.end(bytes, done)
    }
    if (!this.#waitsForTrailers) this.#dismiss()
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
    if (this.#stream.destroyed) return
    const isRefused = broken.kind === 'refused'
    // Not close(): that would end the body as if it were complete.
    if (!isRefused && broken.kind !== 'stale' && broken.begun)
      return void this.#stream.destroy(new Error(broken.detail))
    if (!isRefused && this.#uploading) this.#stream.resume()
    this.#way.failed(failureOf(broken, { again: this.#repeatable, wasStale: this.#wasStale }))
  }

  /** RFC 8441 section 5: the stream takes the place of the connection. */
  switched(head: ResponseHead, socket: Socket, early: Buffer): void {
    this.#leave()
    const lines = fieldsOf(head.fields)
    const { 'sec-websocket-accept': accept, ...fields } = lines
    if (accept !== acceptOf(this.#key)) {
      socket.destroy()
      this.#way.failed({ kind: 'broken', detail: 'agreed to a WebSocket with a wrong key', again: false })
      return
    }
    if (!this.#respond({ ':status': 200, ...fields })) return void socket.destroy()
    if (early.length > 0) this.#stream.write(early)
    splice(this.#stream, socket)
    splice(socket, this.#stream)
  }

  #upload(): void {
    const { body } = this.#request
    this.#uploading = true
    this.#stream.on('data', (piece: Buffer) => {
      const framed = body === 'chunks' && !this.#isH2c ? chunkOf(piece) : piece
      if (this.#exchange?.write(framed) === false) this.#stream.pause()
      // A chunk is a copy.
      spent(framed === piece ? piece.length : piece.length + framed.length)
    })
    this.#stream.once('end', () => {
      const trailers = trailersOf(this.#request.trailers)
      if (body === 'chunks' && !this.#isH2c) this.#exchange?.write(lastChunk(trailers))
      this.#exchange?.finish(trailers.flat())
    })
  }

  /** The answer is complete: what the client would still send of its body goes nowhere, and NO_ERROR says so (RFC 9113 section 8.1). */
  #dismiss(): void {
    if (!this.#uploading) return
    this.#stream.resume()
    if (!this.#stream.readableEnded) this.#stream.close()
  }

  /** The exchange is over for this errand; what it was. */
  #leave(): Exchange | undefined {
    const exchange = this.#exchange
    this.#exchange = undefined
    return exchange
  }

  readonly #onDrain = (): void => {
    this.#exchange?.resume()
  }
}

function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}${webSocket}`).digest('base64')
}
