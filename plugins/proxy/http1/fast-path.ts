import type { Socket } from 'node:net'
import type { Limits } from '../limits.ts'
import { Telling } from '../message/forwarded.ts'
import { type RawHeaders, trailersOf } from '../message/headers.ts'
import { publicFields } from '../message/public-urls.ts'
import { type NarrowRequest, readRequest } from '../message/request-head.ts'
import type { Ending, ResponseHead } from '../message/response-head.ts'
import type { Destination } from '../routing/decision.ts'
import type { Tried } from '../routing/dispatch.ts'
import type { Gate } from '../routing/router.ts'
import { sizeOf, slots } from '../upstream/buffers.ts'
import type { Broken, Exchange, Receiver } from '../upstream/exchange.ts'
import { eventStream, type Flight, type Flights } from '../upstream/in-flight.ts'
import type { Upstreams } from '../upstream/pool.ts'
import { type Answering, watchHalfClosed } from './half-close.ts'

/** What the fast lane needs of the proxy. */
export interface FastParts {
  readonly gate: Gate
  readonly upstreams: Upstreams
  readonly flights: Flights
  readonly limits: Limits
  /** Takes a connection over, with the bytes it has sent that were not answered yet and what became of the first request in them. */
  readonly others: (socket: Socket, bytes: Buffer, tried?: Tried) => void
  readonly gone: (connection: FastConnection) => void
}

/** As much is written as text, which needs no memory of its own. */
const mostText = 8 * 1024
/** What a client may send ahead while its request is answered. */
const mostAhead = 64 * 1024
const noBytes = Buffer.alloc(0)
const crlf = Buffer.from('\r\n')

/**
 * A client's connection whose requests are of the narrow grammar, for services that run: heads are copied with few changes, bodies
 * passed on as they are. The first request that is not goes to the other lane together with the connection, unanswered; so does
 * one whose service does not answer as it should, since it may be asked again.
 */
export class FastConnection implements Receiver, Flight, Answering {
  readonly wire = true
  /** performance.now() of when its last request was answered, or it came. */
  active = performance.now()
  /** When its present request was sent on. */
  since = 0
  /** Whether it has sent anything yet. */
  silent = true
  readonly #socket: Socket
  readonly #scheme: 'http' | 'https'
  #telling: Telling | undefined
  readonly #parts: FastParts
  #exchange: Exchange | undefined
  #request: NarrowRequest | undefined
  #to: Destination | undefined
  #ahead: Buffer = noBytes
  #ending: Ending['by'] | undefined
  #text = ''
  #pieces: Buffer[] = []
  #left = false
  /** Its client has ended its half. */
  #isLast = false
  #isEndless = false

  /** @param flows the socket emits its data; else it is given to `read` */
  constructor(socket: Socket, scheme: 'http' | 'https', parts: FastParts, flows: boolean) {
    this.#socket = socket
    this.#scheme = scheme
    this.#parts = parts
    if (flows) socket.on('data', this.read)
    socket.on('drain', this.#onDrain)
    socket.on('end', this.#onEnd)
    socket.on('error', this.#onError)
    socket.on('close', this.#onClose)
  }

  /** Whether a request is being answered. */
  get busy(): boolean {
    return this.#request !== undefined
  }

  destroy(): void {
    this.#socket.destroy()
  }

  begun(): boolean {
    return this.#ending !== undefined
  }

  takesInterim(): boolean {
    return this.#request !== undefined && this.#ending === undefined
  }

  interim(head: ResponseHead): void {
    // None of this lane waits for a 100; a client that does not read gets no hints, so that they pile up nowhere.
    if (head.status === 100 || this.#socket.writableNeedDrain) return
    this.#text += `HTTP/1.1 ${head.status} ${head.reason}\r\n${head.fields}\r\n`
  }

  head(head: ResponseHead): void {
    const { by } = head.ending
    this.#ending = by
    let text = `${this.#text}HTTP/1.1 ${head.status} ${head.reason}\r\n${this.#fieldsOf(head)}`
    if (this.#request?.close === true) text += 'Connection: close\r\n'
    if (by === 'chunks' && head.trailer !== undefined) text += `Trailer: ${head.trailer}\r\n`
    if (by === 'chunks' || by === 'close') text += 'Transfer-Encoding: chunked\r\n'
    this.#text = `${text}\r\n`
  }

  #fieldsOf(head: ResponseHead): string {
    const to = this.#to
    const request = this.#request
    if (to === undefined || request === undefined) return head.fields
    return publicFields(head, to, { scheme: this.#scheme, host: request.host })
  }

  body(bytes: Buffer, from: number, to: number): void {
    const isText = this.#pieces.length === 0 && this.#text.length + to - from <= mostText
    if (this.#ending === 'close') {
      const size = `${(to - from).toString(16)}\r\n`
      if (isText) this.#text += `${size}${bytes.toString('latin1', from, to)}\r\n`
      else this.#pieces.push(Buffer.from(size, 'latin1'), bytes.subarray(from, to), crlf)
    } else if (isText) this.#text += bytes.toString('latin1', from, to)
    else this.#pieces.push(bytes.subarray(from, to))
  }

  end(trailers: RawHeaders): void {
    if (this.#ending === 'close') this.#last('0\r\n\r\n')
    else if (this.#ending === 'chunks') this.#last(linesOf(trailers))
    this.flush()
    const close = this.#request?.close === true || (this.#isLast && this.#ahead.length === 0)
    this.#land()
    this.#exchange = undefined
    this.#request = undefined
    this.#ending = undefined
    this.active = performance.now()
    if (close) this.#socket.end(() => this.#socket.destroySoon())
    else if (!this.#socket.writableNeedDrain) this.#next()
  }

  #last(text: string): void {
    if (this.#pieces.length === 0) this.#text += text
    else this.#pieces.push(Buffer.from(text, 'latin1'))
  }

  flush(): boolean {
    const text = this.#text
    const pieces = this.#pieces
    if (pieces.length === 0) {
      if (text === '') return true
      this.#text = ''
      return this.#socket.write(text, 'latin1')
    }
    this.#text = ''
    this.#pieces = []
    // A copy in any case: the pieces' bytes are the connection's, and the next read writes over them.
    const { bytes, done } = slots.join(text, pieces, text.length + sizeOf(pieces))
    return this.#socket.write(bytes, done)
  }

  failed(broken: Broken): void {
    this.#land()
    this.#exchange = undefined
    // In the middle of an answer the end of the connection cannot be taken for the body's end: that is framed in this lane.
    if (this.#ending !== undefined) this.#socket.destroy()
    else
      this.#handOver(
        Buffer.concat([Buffer.from(this.#request?.text ?? '', 'latin1'), this.#ahead]),
        this.#tried(broken),
      )
  }

  /** What the other lane must not try again without a reason; a strange answer not at all. */
  #tried(broken: Broken): Tried | undefined {
    if (this.#to === undefined) return undefined
    const { since } = this
    const to = this.#to
    if (broken.kind === 'stale') return { to, since, failure: broken }
    if (broken.kind === 'refused') return { to, since, failure: { kind: 'refused', sent: false } }
    return { to, since, failure: { kind: 'broken', detail: broken.detail, again: broken.kind === 'broken' } }
  }

  /** Takes the first `count` bytes, which hold until it returns; false where the connection is the other lane's by now. */
  readonly read = (bytes: Buffer, count = bytes.length): boolean => {
    if (this.#left) return false
    if (this.#request === undefined && this.#ahead.length === 0) this.#take(bytes, count)
    else {
      this.#ahead = Buffer.concat([this.#ahead, bytes.subarray(0, count)])
      if (this.#ahead.length > mostAhead) this.#socket.pause()
    }
    return true
  }

  /** Reads one request; what follows it waits. */
  #take(bytes: Buffer, count: number): void {
    this.silent = false
    const request = readRequest(bytes, count)
    const { gate, upstreams } = this.#parts
    // Requests sent ahead are the other lane's, which works on them side by side.
    const alone = typeof request === 'object' && request.end === count
    const to = alone ? gate.direct(request.host, request.path, this.#scheme) : undefined
    if (!alone || to === undefined) return void this.#handOver(Buffer.from(bytes.subarray(0, count)))
    this.#request = request
    this.#to = to
    this.since = performance.now()
    this.#isEndless = request.fields.includes(eventStream)
    if (!this.#isEndless) this.#parts.flights.begin(to.key, this)
    const line = `${request.head ? 'HEAD' : 'GET'} ${to.path} HTTP/1.1\r\n`
    const head = `${line}${request.fields}${this.#tell(request.host, to.prefix)}\r\n`
    this.#exchange = upstreams.send(
      to.address,
      { head, bodyless: request.head, hasBody: false, fresh: false, upgrade: false },
      this,
    )
  }

  #land(): void {
    if (this.#request !== undefined && this.#to !== undefined) this.#parts.flights.end(this.#to.key, this)
  }

  #next(): void {
    const bytes = this.#ahead
    if (bytes.length === 0) return
    this.#ahead = noBytes
    if (this.#socket.isPaused()) this.#socket.resume()
    this.#take(bytes, bytes.length)
  }

  #handOver(bytes: Buffer, tried?: Tried): void {
    this.#leave()
    if (!this.#socket.destroyed) this.#parts.others(this.#socket, bytes, tried)
  }

  #leave(): void {
    const socket = this.#socket
    this.#left = true
    socket.off('data', this.read)
    socket.off('drain', this.#onDrain)
    socket.off('end', this.#onEnd)
    socket.off('error', this.#onError)
    socket.off('close', this.#onClose)
    this.#parts.gone(this)
  }

  #tell(host: string, prefix: string | undefined): string {
    if (this.#telling === undefined) {
      const { remoteAddress: remote = '127.0.0.1', localPort: port = 80 } = this.#socket
      this.#telling = new Telling({ remote, port, scheme: this.#scheme })
    }
    return this.#telling.lines(host, prefix)
  }

  readonly #onDrain = (): void => {
    if (this.#exchange !== undefined) this.#exchange.resume()
    else if (this.#request === undefined) this.#next()
  }

  /** A client that ends its half may wait for its answer; not for one without an end. */
  readonly #onEnd = (): void => {
    this.#isLast = true
    if (this.#request === undefined) this.#socket.end(() => this.#socket.destroySoon())
    else if (this.#isEndless) this.#socket.destroy()
    else watchHalfClosed(this.#socket, this, this.#parts.limits.leaving)
  }

  readonly #onError = (): void => {
    this.#socket.destroy()
  }

  readonly #onClose = (): void => {
    this.#land()
    this.#exchange?.abort()
    this.#exchange = undefined
    this.#leave()
  }
}

function linesOf(trailers: RawHeaders): string {
  if (trailers.length === 0) return '\r\n'
  const lines = trailersOf(trailers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${lines.join('')}\r\n`
}
