import type { Socket } from 'node:net'
import { messageOf, systemCode } from '../../kernel/errors.ts'
import { Chunks } from './chunks.ts'
import type { Broken, Exchange, Receiver, WireRequest } from './exchange.ts'
import { type ResponseHead, readResponse } from './response-head.ts'

/** Who gets a connection back. */
export interface Home {
  /** It can be used again. */
  idle(link: Link): void
  /** It cannot. */
  gone(link: Link): void
}

const empty = Buffer.alloc(0)

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

  /** Takes bytes that hold until it returns: what is kept is copied. */
  readonly read = (bytes: Buffer): void => {
    const receiver = this.#receiver
    // Nobody asked for it.
    if (receiver === undefined) return void this.socket.destroy()
    this.#heard = true
    let rest = bytes
    if (this.#partial !== undefined) {
      rest = Buffer.concat([this.#partial, bytes])
      this.#partial = undefined
    }
    if (this.#head === undefined) rest = this.#readHead(rest, receiver)
    if (this.#head !== undefined && this.#receiver !== undefined) this.#readBody(rest, this.#head, receiver)
    if (!receiver.flush() && this.#receiver === receiver) this.socket.pause()
  }

  /** Reads heads up to the final one; what is left belongs to the body. */
  #readHead(bytes: Buffer, receiver: Receiver): Buffer {
    let rest = bytes
    for (;;) {
      const head = readResponse(rest, this.#request?.bodyless ?? false)
      if (head === 'faulty') return this.#strange(`answered on port ${this.socket.remotePort}, but not in HTTP`)
      if (head === 'coding') return this.#strange('answered in a transfer coding that is not supported')
      if (head === -1) {
        if (rest.length > this.#mostHead) return this.#strange('answered with a head that is too large')
        this.#partial = Buffer.from(rest)
        return empty
      }
      if (head.end > this.#mostHead) return this.#strange('answered with a head that is too large')
      rest = rest.subarray(head.end)
      if (head.status === 101) return this.#switch(head, receiver, rest)
      if (head.status >= 200) {
        this.#head = head
        this.#chunks = head.ending.by === 'chunks' ? new Chunks() : undefined
        this.#left = head.ending.by === 'length' ? head.ending.length : 0
        receiver.head(head)
        return rest
      }
      receiver.interim(head)
    }
  }

  #readBody(bytes: Buffer, head: ResponseHead, receiver: Receiver): void {
    const { by } = head.ending
    if (by === 'chunks') return void this.#readChunks(bytes, receiver)
    if (by === 'close') return void (bytes.length > 0 && receiver.body(bytes))
    if (this.#left > 0 && bytes.length > 0) {
      const piece = bytes.length > this.#left ? bytes.subarray(0, this.#left) : bytes
      this.#left -= piece.length
      receiver.body(piece)
      if (this.#left === 0) this.#complete(bytes.length - piece.length, receiver)
    } else if (this.#left === 0) this.#complete(bytes.length, receiver)
  }

  #readChunks(bytes: Buffer, receiver: Receiver): void {
    const chunks = this.#chunks
    if (chunks === undefined) return
    const pieces: Buffer[] = []
    const read = chunks.read(bytes, 0, receiver.wire ? pieces : undefined, receiver.wire ? undefined : pieces)
    for (const piece of pieces) receiver.body(piece)
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
    else this.socket.destroySoon()
    receiver.end(trailers)
  }

  #switch(head: ResponseHead, receiver: Receiver, rest: Buffer): Buffer {
    if (this.#request?.upgrade !== true || head.upgrade === undefined || receiver.switched === undefined) {
      return this.#strange('switched protocols without being asked')
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
    return empty
  }

  #strange(detail: string): Buffer {
    this.#fail({ kind: 'strange', detail, begun: this.#head !== undefined })
    this.socket.destroy()
    return empty
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
  if (error === undefined || code === 'ECONNRESET' || code === 'EPIPE') return 'closed the connection without an answer'
  return `could not be reached: ${messageOf(error)}`
}
