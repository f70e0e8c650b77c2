import type { Socket } from 'node:net'
import { headLines, type RawHeaders } from '../message/headers.ts'
import type { ResponseHead } from '../message/response-head.ts'
import type { Destination } from '../routing/decision.ts'
import type { Exchange, ExchangeFailure, Receiver, Sender, Tunnel, UpstreamRequest } from '../upstream/exchange.ts'
import { Body, type BodyStore } from './body.ts'
import type { Entry } from './entry.ts'
import { EventStreamReader } from './event-stream.ts'
import type { Frames } from './frames.ts'
import { WebSocketReader } from './websocket.ts'

/** What a recording needs of its recorder. */
export interface RecordingOwner {
  readonly wantsBodies: boolean
  readonly store: BodyStore
  frames(): Frames
  changed(entry: Entry): void
  weigh(entry: Entry): void
}

const eventStreamType = /^content-type:[ \t]*text\/event-stream\b/im

/** Records one exchange, through all its attempts. */
export class Recording {
  readonly entry: Entry
  readonly #owner: RecordingOwner

  constructor(entry: Entry, owner: RecordingOwner) {
    this.entry = entry
    this.#owner = owner
  }

  /** Returns a sender that records what it sends to the service, and the response. */
  through(pool: Sender, to: Destination): Sender {
    return {
      send: (address, request, receiver) => {
        this.#begin(to, request)
        return new RecordedRequest(pool.send(address, request, new RecordedResponse(receiver, this)), request, this)
      },
      discarded: bytes => pool.discarded(bytes),
      joined: tunnel => this.#join(tunnel),
    }
  }

  /** Records a response that locald made itself. */
  respond(status: number, reason: string, headers: RawHeaders, body: Buffer): void {
    const { entry } = this
    entry.answeredBy = 'locald'
    entry.response = { status, reason, fields: headLines('', headers).slice(2, -2) }
    entry.headAt = performance.now()
    entry.responseBody?.drop()
    entry.responseBody = new Body(this.#owner.store)
    entry.responseBody.add(body, 0, body.length, this.#owner.wantsBodies)
    this.end(entry.error)
  }

  /** Records that the client has disconnected, where the exchange is not over. */
  closed(): void {
    if (!this.entry.isOver && !this.entry.isUpgraded) this.end('the client disconnected')
  }

  upload(piece: Buffer | string, isChunked: boolean): void {
    const { entry, body } = { entry: this.entry, body: this.entry.requestBody }
    if (body === undefined) return
    const bytes = typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece
    const before = body.size
    body.add(bytes, 0, bytes.length, this.#owner.wantsBodies)
    // The framing is kept, but does not count.
    if (isChunked) body.size = before + payloadOf(bytes)
    if (this.#owner.wantsBodies) this.#owner.changed(entry)
  }

  head(head: ResponseHead): void {
    const { entry } = this
    const { status, reason, fields } = head
    entry.response = { status, reason, fields }
    entry.headAt = performance.now()
    entry.responseBody?.drop()
    entry.responseBody = undefined
    if (eventStreamType.test(fields)) {
      entry.frames = this.#owner.frames()
      this.#events = new EventStreamReader(entry.frames)
    } else entry.responseBody = new Body(this.#owner.store)
    this.#owner.weigh(entry)
    this.#owner.changed(entry)
  }

  #events: EventStreamReader | undefined

  body(bytes: Buffer, from: number, to: number): void {
    const { entry } = this
    const isWanted = this.#owner.wantsBodies
    entry.responseBytes += to - from
    entry.responseBody?.add(bytes, from, to, isWanted)
    if (this.#events?.read(bytes, from, to, isWanted) === true && isWanted) this.#owner.changed(entry)
  }

  end(error: string | undefined): void {
    const { entry } = this
    if (entry.isOver && entry.answeredBy === 'service') return
    entry.error = error
    entry.endAt = performance.now()
    entry.requestBody?.finish()
    entry.responseBody?.finish()
    this.#owner.changed(entry)
  }

  failed(failure: ExchangeFailure): void {
    // The request is sent again on another connection.
    if (failure.kind === 'stale') return
    this.entry.error = failure.kind === 'refused' ? 'the connection was refused' : failure.detail
    // Before the response began, it may be retried, or locald responds.
    if (this.entry.response !== undefined) this.end(this.entry.error)
    else this.#owner.changed(this.entry)
  }

  switched(head: ResponseHead): void {
    this.entry.isUpgraded = true
    this.entry.response = { status: head.status, reason: head.reason, fields: head.fields }
    this.entry.headAt = performance.now()
    this.#owner.changed(this.entry)
  }

  #begin(to: Destination, request: UpstreamRequest): void {
    const { entry } = this
    entry.sent = { to, request }
    entry.error = undefined
    entry.requestBody?.drop()
    entry.requestBody = request.hasBody ? new Body(this.#owner.store) : undefined
  }

  #join({ client, service, fromClient, fromService }: Tunnel): void {
    const { entry } = this
    const frames = this.#owner.frames()
    entry.frames = frames
    const sink = { frames, isWanted: () => this.#owner.wantsBodies, changed: () => this.#owner.changed(entry) }
    const [sent, received] = [new WebSocketReader('client', sink), new WebSocketReader('service', sink)]
    const count = (bytes: Buffer): void => {
      entry.responseBytes += bytes.length
    }
    const upload = (bytes: Buffer): void => {
      entry.requestBytes += bytes.length
    }
    for (const read of [sent.read, upload]) {
      read(fromClient)
      client.on('data', read)
    }
    for (const read of [received.read, count]) {
      read(fromService)
      service.on('data', read)
    }
    service.once('close', () => this.end(undefined))
  }
}

/** Returns how many bytes of these whole chunks are content. */
function payloadOf(chunks: Buffer): number {
  let size = 0
  for (let at = 0; at < chunks.length; ) {
    const length = Number.parseInt(chunks.toString('latin1', at, at + 16), 16)
    if (!(length > 0)) return size
    size += length
    at = chunks.indexOf(10, at) + 1 + length + 2
  }
  return size
}

/** Passes a response on, and records it. */
class RecordedResponse implements Receiver {
  readonly wire: boolean
  readonly #to: Receiver
  readonly #recording: Recording

  constructor(to: Receiver, recording: Recording) {
    this.wire = to.wire
    this.#to = to
    this.#recording = recording
  }

  sent(): void {
    this.#to.sent?.()
  }

  drained(): void {
    this.#to.drained?.()
  }

  interim(head: ResponseHead): void {
    this.#to.interim(head)
  }

  head(head: ResponseHead): void {
    this.#recording.head(head)
    this.#to.head(head)
  }

  body(bytes: Buffer, from: number, to: number): void {
    this.#recording.body(bytes, from, to)
    this.#to.body(bytes, from, to)
  }

  end(trailers: RawHeaders): void {
    this.#recording.end(undefined)
    this.#to.end(trailers)
  }

  flush(): boolean {
    return this.#to.flush()
  }

  failed(failure: ExchangeFailure): void {
    this.#recording.failed(failure)
    this.#to.failed(failure)
  }

  switched(head: ResponseHead, socket: Socket, early: Buffer): void {
    this.#recording.switched(head)
    this.#to.switched?.(head, socket, early)
  }
}

/** Passes the body of a request on, and records it as it is sent. */
class RecordedRequest implements Exchange {
  readonly #to: Exchange
  readonly #isChunked: boolean
  readonly #recording: Recording

  constructor(to: Exchange, request: UpstreamRequest, recording: Recording) {
    this.#to = to
    this.#recording = recording
    this.#isChunked = request.protocol === 'http/1.1' && /\r\ntransfer-encoding:/i.test(request.head)
  }

  write(piece: Buffer | string): boolean {
    this.#recording.upload(piece, this.#isChunked)
    return this.#to.write(piece)
  }

  finish(trailers?: RawHeaders): void {
    this.#to.finish(trailers)
  }

  resume(): void {
    this.#to.resume()
  }

  abort(): void {
    this.#to.abort()
  }
}
