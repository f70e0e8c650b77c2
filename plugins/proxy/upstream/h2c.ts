import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
} from 'node:http2'
import type { Socket } from 'node:net'
import type { PortTraffic } from '../../../kernel/contract/plugin.ts'
import { messageOf } from '../../../kernel/errors.ts'
import type { Limits } from '../limits.ts'
import { fieldsOf } from '../message/h2-headers.ts'
import { headLines, type RawHeaders } from '../message/headers.ts'
import type { Ending, ResponseHead } from '../message/response-head.ts'
import { type Address, dial, neverConnected } from './dial.ts'
import type { Exchange, ExchangeFailure, H2cUpstreamRequest, Origin, Receiver } from './exchange.ts'

// RFC 9113 section 8.2.2; `te: trailers` stays.
const connectionOnly = new Set(['connection', 'transfer-encoding', 'keep-alive', 'upgrade', 'host', 'expect'])

/** The HTTP/2 connection to one address: opened by the first request, and again after it was closed. */
export class H2cOrigin implements Origin {
  readonly address: Address
  readonly #limits: Limits
  readonly #onIdle: () => void
  #session: Promise<ClientHttp2Session> | undefined
  /** Requests that are not finished. */
  #open = 0
  #idleSince = 0

  constructor(address: Address, limits: Limits, onIdle: () => void) {
    this.address = address
    this.#limits = limits
    this.#onIdle = onIdle
  }

  get isUnused(): boolean {
    return this.#session === undefined && this.#open === 0
  }

  get traffic(): PortTraffic {
    return { open: this.#open, connections: this.#session === undefined ? 0 : 1, usedAt: this.#idleSince }
  }

  send(request: H2cUpstreamRequest, receiver: Receiver): Exchange {
    this.#open++
    const exchange = new H2cExchange(request, receiver, () => {
      this.#open--
      this.#idleSince = performance.now()
      if (this.#open === 0) this.#onIdle()
    })
    this.#session ??= this.#connect()
    this.#session.then(
      session => exchange.begin(session),
      (error: Error) => exchange.fail(error),
    )
    return exchange
  }

  closeIdle(before: number): number {
    if (this.#session === undefined || this.#open > 0) return 0
    if (this.#idleSince >= before) return 1
    this.#session.then(session => session.close()).catch(() => undefined)
    this.#session = undefined
    return 0
  }

  destroy(): void {
    this.#session?.then(session => session.destroy()).catch(() => undefined)
    this.#session = undefined
  }

  /** Opens a connection, used until it is closed or announces that (GOAWAY). */
  #connect(): Promise<ClientHttp2Session> {
    const connecting = new Promise<ClientHttp2Session>((resolve, reject) => {
      dial(this.address, { allowHalfOpen: false }, (error, socket: Socket) => {
        if (error !== null) return void reject(error)
        const { host, port } = this.address
        const session = connect(`http://${host.includes(':') ? '[::1]' : host}:${port}`, {
          createConnection: () => socket,
          settings: { enablePush: false, initialWindowSize: this.#limits.h2Window },
          maxSessionMemory: 128,
        })
        session.setLocalWindowSize(this.#limits.h2Window * 16)
        // Each stream emits its own error.
        session.on('error', () => undefined)
        resolve(session)
      })
    })
    const forget = (): void => {
      if (this.#session === connecting) this.#session = undefined
    }
    connecting.then(session => session.once('close', forget).once('goaway', forget), forget)
    return connecting
  }
}

/** A request as a stream of the connection. */
class H2cExchange implements Exchange {
  readonly #request: H2cUpstreamRequest
  readonly #receiver: Receiver
  readonly #onClose: () => void
  #stream: ClientHttp2Stream | undefined
  #over = false
  #begun = false
  #trailers: RawHeaders = []

  /** @param onClose called once, when the connection no longer has the request */
  constructor(request: H2cUpstreamRequest, receiver: Receiver, onClose: () => void) {
    this.#request = request
    this.#receiver = receiver
    this.#onClose = onClose
  }

  begin(session: ClientHttp2Session): void {
    try {
      this.#start(session)
    } catch (error) {
      // node:http2 rejects the request's head.
      this.#fail({ kind: 'broken', detail: `cannot be requested over HTTP/2: ${messageOf(error)}`, begun: false })
    }
    if (this.#stream === undefined) this.#onClose()
  }

  #start(session: ClientHttp2Session): void {
    if (this.#over) return
    if (session.closed || session.destroyed) return void this.#fail({ kind: 'stale' })
    const { method, path, fields, hasBody } = this.#request
    const kept: string[] = []
    let authority = ''
    for (let i = 0; i + 1 < fields.length; i += 2) {
      const name = (fields[i] ?? '').toLowerCase()
      if (name === 'host') authority = fields[i + 1] ?? ''
      if (!connectionOnly.has(name) || (name === 'expect' && hasBody)) kept.push(name, fields[i + 1] ?? '')
    }
    const headers = { ':method': method, ':path': path, ':authority': authority, ...fieldsOf(kept) }
    const stream = session.request(headers, { endStream: !hasBody, waitForTrailers: hasBody })
    this.#stream = stream
    stream.on('continue', () => this.#receiver.interim(responseHeadOf(100, [], { by: 'nothing' })))
    stream.on('headers', (info: IncomingHttpHeaders, _flags: number, raw: string[]) => {
      const status = Number(info[':status'])
      if (status !== 100) this.#receiver.interim(responseHeadOf(status, raw, { by: 'nothing' }))
    })
    stream.once('response', (info: IncomingHttpHeaders, flags: number, raw: string[]) => {
      this.#begun = true
      const ends = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0
      const length = Number(info['content-length'])
      const body: Ending = Number.isSafeInteger(length) ? { by: 'length', length } : { by: 'chunks' }
      this.#receiver.head(responseHeadOf(Number(info[':status']), raw, ends ? { by: 'nothing' } : body))
      if (!ends) this.#receiver.flush()
    })
    stream.on('trailers', (_headers: IncomingHttpHeaders, _flags: number, raw: string[]) => {
      this.#trailers = raw
    })
    stream.on('data', (piece: Buffer) => {
      if (this.#over) return
      this.#receiver.body(piece, 0, piece.length)
      if (!this.#receiver.flush()) stream.pause()
    })
    stream.on('drain', () => this.#receiver.drained?.())
    stream.once('end', () => this.#onEnd(stream))
    stream.once('error', error => this.fail(error))
    stream.once('close', () => {
      this.fail()
      this.#onClose()
    })
    this.#receiver.sent?.()
  }

  write(piece: Buffer | string): boolean {
    return this.#stream === undefined || this.#stream.writableEnded || this.#stream.write(piece)
  }

  finish(trailers: RawHeaders = []): void {
    const stream = this.#stream
    if (stream === undefined) return
    stream.once('wantTrailers', () => {
      try {
        stream.sendTrailers(fieldsOf(trailers))
      } catch (error) {
        stream.destroy(new Error(`trailers that cannot be forwarded: ${messageOf(error)}`))
      }
    })
    stream.end()
  }

  resume(): void {
    this.#stream?.resume()
  }

  abort(): void {
    this.#over = true
    if (this.#stream !== undefined) drop(this.#stream)
  }

  /** @param error undefined where the service closed the stream without one */
  fail(error?: Error): void {
    if (this.#stream === undefined) {
      this.#onClose()
      if (error !== undefined && neverConnected(error)) return void this.#fail({ kind: 'refused' })
    }
    // The service has not processed it (RFC 9113 section 8.7).
    const refused = this.#stream?.rstCode === constants.NGHTTP2_REFUSED_STREAM
    if (refused && !this.#begun && this.#request.repeatable) return void this.#fail({ kind: 'stale' })
    const detail =
      error === undefined ? 'closed the stream without a response' : `lost the HTTP/2 stream: ${messageOf(error)}`
    this.#fail({ kind: 'broken', detail, begun: this.#begun })
  }

  #onEnd(stream: ClientHttp2Stream): void {
    if (!this.#over && this.#begun && (stream.rstCode ?? 0) === 0) {
      this.#over = true
      this.#receiver.end(this.#trailers)
      this.#receiver.flush()
    }
    // The service does not need the rest of the request.
    if (!stream.writableFinished) drop(stream)
  }

  #fail(broken: ExchangeFailure): void {
    if (this.#over) return
    this.#over = true
    this.#receiver.failed(broken)
  }
}

/**
 * Destroys a stream. node:http2 keeps one that was reset with NO_ERROR until it is read and written in full, which may
 * be never.
 */
function drop(stream: ClientHttp2Stream): void {
  if (stream.closed) return void stream.destroy()
  stream.close(constants.NGHTTP2_CANCEL)
  // The service may have closed it meanwhile: then node:http2 keeps it as well.
  stream.resume()
}

function responseHeadOf(status: number, raw: RawHeaders, ending: Ending): ResponseHead {
  const fields: string[] = []
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? ''
    if (!name.startsWith(':')) fields.push(name, raw[i + 1] ?? '')
  }
  const lines = headLines('', fields).slice(2, -2)
  return { status, reason: '', fields: lines, ending, keep: true, upgrade: undefined, trailer: undefined, end: 0 }
}
