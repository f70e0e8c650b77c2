import type { Socket } from 'node:net'
import { messageOf, systemCode } from '../../../kernel/errors.ts'
import { more } from '../message/bytes.ts'
import { Chunks } from '../message/chunked.ts'
import { readAnyResponse } from '../message/lenient-response.ts'
import type { ResponseHead } from '../message/response-head.ts'
import { readBeforeFailing } from './early-response.ts'
import { type Broken, closedEarly, type Exchange, type Receiver, type WireRequest } from './exchange.ts'

/** Who gets a connection back. */
export interface Home {
  /** It can be used again. */
  idle(link: Link): void
  /** It cannot. */
  gone(link: Link): void
}

/** One connection to a service: one exchange at a time, its response framed strictly. */
export class Link implements Exchange {
  readonly socket: Socket
  /** performance.now() of when it became idle. */
  idleSince = 0
  readonly #home: Home
  readonly #mostHead: number
  #receiver: Receiver | undefined
  #request: WireRequest | undefined
  #head: ResponseHead | undefined
  #chunks: Chunks | undefined
  #left = 0
  #partial: Buffer | undefined
  #uses = 0
  #heard = false
  #uploaded = true
  #ended = false
  #error: Error | undefined

  /** @param flows the socket emits its data; else it is given to `read` */
  constructor(socket: Socket, home: Home, mostHead: number, flows: boolean) {
    this.socket = socket
    this.#home = home
    this.#mostHead = mostHead
    if (flows) socket.on('data', this.read)
    socket.on('drain', this.#onDrain)
    socket.on('end', this.#onEnd)
    socket.on('error', this.#onError)
    socket.on('close', this.#onClose)
  }

  /** Whether a request can be sent on it. */
  get usable(): boolean {
    return !this.#ended && this.socket.writable && this.#error === undefined
  }

  /** Whether it has served a request before. */
  get used(): boolean {
    return this.#uses > 0
  }

  start(request: WireRequest, receiver: Receiver): void {
    this.#request = request
    this.#receiver = receiver
    this.#heard = false
    this.#uses++
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

  /** Takes the first `count` bytes, which hold until it returns: what is kept is copied. */
  readonly read = (bytes: Buffer, count = bytes.length): void => {
    const receiver = this.#receiver
    // Nobody asked for it.
    if (receiver === undefined) return void this.socket.destroy()
    this.#heard = true
    const before = this.#partial
    this.#partial = undefined
    const all = before === undefined ? bytes : Buffer.concat([before, bytes.subarray(0, count)])
    let rest = this.#take(all, before === undefined ? count : all.length, receiver)
    while (rest !== undefined) rest = this.#take(rest, rest.length, receiver)
    if (!receiver.flush() && this.#receiver === receiver) this.socket.pause()
  }

  /** A head, and what of the body came with it; or a piece of the body. What follows an interim head is to be taken next. */
  #take(bytes: Buffer, size: number, receiver: Receiver): Buffer | undefined {
    if (this.#head !== undefined) return void this.#readBody(bytes, 0, size, this.#head, receiver)
    const head = readAnyResponse(bytes, this.#request?.bodyless ?? false, size)
    if (head === 'faulty') this.#strange(`answered on port ${this.socket.remotePort}, but not in HTTP`)
    else if (head === 'coding') this.#strange('answered in a transfer coding that is not supported')
    else if ((head === more ? size : head.end) > this.#mostHead) this.#strange('answered with a head that is too large')
    else if (head === more) this.#partial = Buffer.from(bytes.subarray(0, size))
    else if (head.status === 101) this.#switch(head, receiver, bytes.subarray(head.end, size))
    else if (head.status < 200) {
      receiver.interim(head)
      return this.#receiver === undefined ? undefined : bytes.subarray(head.end, size)
    } else {
      this.#head = head
      this.#chunks = head.ending.by === 'chunks' ? new Chunks() : undefined
      this.#left = head.ending.by === 'length' ? head.ending.length : 0
      receiver.head(head)
      // The receiver may have left.
      if (this.#receiver !== undefined) this.#readBody(bytes, head.end, size, head, receiver)
    }
    return undefined
  }

  #readBody(bytes: Buffer, from: number, size: number, head: ResponseHead, receiver: Receiver): void {
    const { by } = head.ending
    if (by === 'chunks') return void this.#readChunks(bytes.subarray(from, size), receiver)
    if (by === 'close') return void (size > from && receiver.body(bytes, from, size))
    const to = Math.min(size, from + this.#left)
    this.#left -= to - from
    if (to > from) receiver.body(bytes, from, to)
    if (this.#left === 0) this.#complete(size - to, receiver)
  }

  #readChunks(bytes: Buffer, receiver: Receiver): void {
    const chunks = this.#chunks
    if (chunks === undefined) return
    const pieces: Buffer[] = []
    const read = chunks.read(bytes, 0, receiver.wire ? pieces : undefined, receiver.wire ? undefined : pieces)
    for (const piece of pieces) receiver.body(piece, 0, piece.length)
    if (read.is === 'faulty') this.#strange('broke its answer’s chunks')
    else if (read.is === 'end') this.#complete(bytes.length - read.at, receiver, chunks.trailers)
  }

  /** The response is complete; bytes beyond it would be an answer to nothing. */
  #complete(beyond: number, receiver: Receiver, trailers: readonly string[] = []): void {
    const keep = this.#head?.keep === true && this.#request?.fresh === false && this.#uploaded && beyond === 0
    this.#receiver = undefined
    this.#head = undefined
    this.#chunks = undefined
    // A connection must not go back paused: nobody would ever read from it again.
    if (this.socket.isPaused()) this.socket.resume()
    if (keep && this.usable) this.#home.idle(this)
    else if (this.#uploaded) this.socket.destroySoon()
    // What it has not taken of the request it may never take.
    else this.socket.destroy()
    receiver.end(trailers)
  }

  #switch(head: ResponseHead, receiver: Receiver, rest: Buffer): void {
    if (this.#request?.upgrade !== true || head.upgrade === undefined || receiver.switched === undefined) {
      return void this.#strange('switched protocols without being asked')
    }
    const { socket } = this
    this.#receiver = undefined
    socket.off('data', this.read)
    socket.off('drain', this.#onDrain)
    socket.off('end', this.#onEnd)
    socket.off('error', this.#onError)
    socket.off('close', this.#onClose)
    // From here on either side may end its half first.
    socket.allowHalfOpen = true
    this.#home.gone(this)
    receiver.switched(head, socket, rest)
  }

  #strange(detail: string): void {
    this.#fail({ kind: 'strange', detail, begun: this.#head !== undefined })
    this.socket.destroy()
  }

  #fail(broken: Broken): void {
    const receiver = this.#receiver
    this.#receiver = undefined
    receiver?.failed(broken)
  }

  readonly #onDrain = (): void => this.#receiver?.drained?.()

  readonly #onEnd = (): void => {
    this.#ended = true
  }

  readonly #onError = (error: Error): void => {
    this.#error = error
  }

  readonly #onClose = (): void => {
    this.#home.gone(this)
    const receiver = this.#receiver
    if (receiver === undefined) return
    if (this.#head?.ending.by === 'close' && this.#ended && this.#error === undefined) {
      this.#receiver = undefined
      receiver.end([])
      receiver.flush()
    } else if (!this.#heard && this.#uses > 1) this.#fail({ kind: 'stale' })
    else this.#fail({ kind: 'broken', detail: detailOf(this.#error), begun: this.#head !== undefined })
  }
}

function detailOf(error: Error | undefined): string {
  const code = systemCode(error)
  if (error === undefined || code === 'ECONNRESET' || code === 'EPIPE') return closedEarly
  return `could not be reached: ${messageOf(error)}`
}
