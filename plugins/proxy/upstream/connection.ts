import type { Socket } from 'node:net'
import { messageOf, systemCode } from '../../../kernel/errors.ts'
import { more } from '../message/bytes.ts'
import { ChunkReader } from '../message/chunked.ts'
import { readAnyResponse } from '../message/lenient-response.ts'
import type { ResponseHead } from '../message/response-head.ts'
import { readBeforeFailing } from './early-response.ts'
import {
  closedEarly,
  type Exchange,
  type ExchangeFailure,
  type Http1UpstreamRequest,
  type Receiver,
} from './exchange.ts'

/** Keeps the connection between its exchanges. */
export interface ConnectionOwner {
  /** Takes back a connection that can be reused. */
  idle(connection: UpstreamConnection): void
  /** Removes a connection that was closed or switched protocols. */
  closed(connection: UpstreamConnection): void
}

/** A connection to a service by HTTP/1.1: one exchange at a time, with strictly framed responses. */
export class UpstreamConnection implements Exchange {
  readonly socket: Socket
  /** When it became idle: performance.now(); 0 during an exchange. */
  idleSince = 0
  readonly #owner: ConnectionOwner
  readonly #maxHead: number
  #receiver: Receiver | undefined
  #request: Http1UpstreamRequest | undefined
  #head: ResponseHead | undefined
  #chunks: ChunkReader | undefined
  #remaining = 0
  #partial: Buffer | undefined
  #requests = 0
  #hasResponse = false
  #uploaded = true
  #isHalfClosed = false
  #error: Error | undefined

  /** @param flows whether the socket emits its data; otherwise the owner calls `read` */
  constructor(socket: Socket, owner: ConnectionOwner, maxHead: number, flows: boolean) {
    this.socket = socket
    this.#owner = owner
    this.#maxHead = maxHead
    if (flows) socket.on('data', this.read)
    socket.on('drain', this.#onDrain)
    socket.on('end', this.#onEnd)
    socket.on('error', this.#onError)
    socket.on('close', this.#onClose)
  }

  /** Whether it can carry a request. */
  get isUsable(): boolean {
    return !this.#isHalfClosed && this.socket.writable && this.#error === undefined
  }

  /** Whether it has carried a request before. */
  get wasUsed(): boolean {
    return this.#requests > 0
  }

  start(request: Http1UpstreamRequest, receiver: Receiver): void {
    this.#request = request
    this.#receiver = receiver
    this.#hasResponse = false
    this.#requests++
    this.idleSince = 0
    this.#uploaded = !request.hasBody
    if (request.hasBody) readBeforeFailing(this.socket)
    this.socket.write(request.head, 'latin1')
    receiver.sent?.()
  }

  write(piece: Buffer | string): boolean {
    return this.#receiver === undefined || this.socket.write(piece, 'latin1')
  }

  finish(): void {
    this.#uploaded = true
  }

  resume(): void {
    this.socket.resume()
  }

  abort(): void {
    this.#receiver = undefined
    this.socket.destroy()
  }

  /** Reads the first `count` bytes, which are valid until it returns: copies what it keeps. */
  readonly read = (bytes: Buffer, count = bytes.length): void => {
    const receiver = this.#receiver
    // Without a request there can be no response.
    if (receiver === undefined) return void this.socket.destroy()
    this.#hasResponse = true
    const before = this.#partial
    this.#partial = undefined
    const all = before === undefined ? bytes : Buffer.concat([before, bytes.subarray(0, count)])
    let rest = this.#take(all, before === undefined ? count : all.length, receiver)
    while (rest !== undefined) rest = this.#take(rest, rest.length, receiver)
    if (!receiver.flush() && this.#receiver === receiver) this.socket.pause()
  }

  /**
   * Reads a head with the begin of its body, or a piece of the body. Returns what follows an interim head, to be read
   * next.
   */
  #take(bytes: Buffer, size: number, receiver: Receiver): Buffer | undefined {
    if (this.#head !== undefined) return void this.#readBody(bytes, 0, size, this.#head, receiver)
    const head = readAnyResponse(bytes, this.#request?.bodyless ?? false, size)
    if (head === 'faulty') this.#failInvalid(`sent a response on port ${this.socket.remotePort} that is not HTTP`)
    else if (head === 'coding') this.#failInvalid('sent a response with an unsupported transfer coding')
    else if ((head === more ? size : head.end) > this.#maxHead)
      this.#failInvalid('sent a response head that is too large')
    else if (head === more) this.#partial = Buffer.from(bytes.subarray(0, size))
    else if (head.status === 101) this.#switch(head, receiver, bytes.subarray(head.end, size))
    else if (head.status < 200) {
      receiver.interim(head)
      return this.#receiver === undefined ? undefined : bytes.subarray(head.end, size)
    } else {
      this.#head = head
      this.#chunks = head.ending.by === 'chunks' ? new ChunkReader() : undefined
      this.#remaining = head.ending.by === 'length' ? head.ending.length : 0
      receiver.head(head)
      // The receiver may have aborted.
      if (this.#receiver !== undefined) this.#readBody(bytes, head.end, size, head, receiver)
    }
    return undefined
  }

  #readBody(bytes: Buffer, from: number, size: number, head: ResponseHead, receiver: Receiver): void {
    const { by } = head.ending
    if (by === 'chunks') return void this.#readChunks(bytes.subarray(from, size), receiver)
    if (by === 'close') return void (size > from && receiver.body(bytes, from, size))
    const to = Math.min(size, from + this.#remaining)
    this.#remaining -= to - from
    if (to > from) receiver.body(bytes, from, to)
    if (this.#remaining === 0) this.#complete(size - to, receiver)
  }

  #readChunks(bytes: Buffer, receiver: Receiver): void {
    const chunks = this.#chunks
    if (chunks === undefined) return
    const pieces: Buffer[] = []
    const read = chunks.read(bytes, 0, receiver.wire ? pieces : undefined, receiver.wire ? undefined : pieces)
    for (const piece of pieces) receiver.body(piece, 0, piece.length)
    if (read.is === 'faulty') this.#failInvalid('sent an invalid chunked body')
    else if (read.is === 'end') this.#complete(bytes.length - read.at, receiver, chunks)
  }

  /** Completes the exchange. Bytes beyond the response belong to no request: the connection is not reused. */
  #complete(beyond: number, receiver: Receiver, chunks?: ChunkReader): void {
    const keep = this.#head?.keep === true && this.#request?.fresh === false && this.#uploaded && beyond === 0
    this.#receiver = undefined
    this.#head = undefined
    this.#chunks = undefined
    // A paused connection would never be read again.
    if (this.socket.isPaused()) this.socket.resume()
    if (keep && this.isUsable) this.#owner.idle(this)
    else if (this.#uploaded) this.socket.destroySoon()
    // The service may never read the rest of the request.
    else this.socket.destroy()
    receiver.end(chunks?.trailers ?? [], chunks?.size)
  }

  #switch(head: ResponseHead, receiver: Receiver, rest: Buffer): void {
    if (this.#request?.upgrade !== true || head.upgrade === undefined || receiver.switched === undefined) {
      return void this.#failInvalid('switched protocols without a request to do so')
    }
    const { socket } = this
    this.#receiver = undefined
    socket.off('data', this.read)
    socket.off('drain', this.#onDrain)
    socket.off('end', this.#onEnd)
    socket.off('error', this.#onError)
    socket.off('close', this.#onClose)
    // From here on either side may close its half first.
    socket.allowHalfOpen = true
    this.#owner.closed(this)
    receiver.switched(head, socket, rest)
  }

  #failInvalid(detail: string): void {
    this.#fail({ kind: 'invalid', detail, begun: this.#head !== undefined })
    this.socket.destroy()
  }

  #fail(broken: ExchangeFailure): void {
    const receiver = this.#receiver
    this.#receiver = undefined
    receiver?.failed(broken)
  }

  readonly #onDrain = (): void => this.#receiver?.drained?.()

  readonly #onEnd = (): void => {
    this.#isHalfClosed = true
  }

  readonly #onError = (error: Error): void => {
    this.#error = error
  }

  readonly #onClose = (): void => {
    this.#owner.closed(this)
    const receiver = this.#receiver
    if (receiver === undefined) return
    if (this.#head?.ending.by === 'close' && this.#isHalfClosed && this.#error === undefined) {
      this.#receiver = undefined
      receiver.end([])
      receiver.flush()
    } else if (!this.#hasResponse && this.#requests > 1) this.#fail({ kind: 'stale' })
    else this.#fail({ kind: 'broken', detail: detailOf(this.#error), begun: this.#head !== undefined })
  }
}

function detailOf(error: Error | undefined): string {
  const code = systemCode(error)
  if (error === undefined || code === 'ECONNRESET' || code === 'EPIPE') return closedEarly
  return `could not be reached: ${messageOf(error)}`
}
