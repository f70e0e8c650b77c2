import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
} from 'node:http2'
import type { Socket } from 'node:net'
import { messageOf } from '../../../kernel/errors.ts'
import type { Limits } from '../limits.ts'
import { fieldsOf } from '../message/h2-headers.ts'
import { headLines, type RawHeaders } from '../message/headers.ts'
import type { Ending, ResponseHead } from '../message/response-head.ts'
import { type Address, dial, neverConnected } from './dial.ts'
import type { Broken, Exchange, Receiver } from './exchange.ts'

/** A request for a service that speaks HTTP/2 in the clear. */
export interface H2cRequest {
  readonly method: string
  readonly path: string
  /** As for a service of HTTP/1.1, `Host` among them. */
  readonly fields: RawHeaders
  readonly hasBody: boolean
  /** Whether it may be sent twice. */
  readonly repeatable: boolean
}

// RFC 9113 section 8.2.2; `te: trailers` stays.
const connectionOnly = new Set(['connection', 'transfer-encoding', 'keep-alive', 'upgrade', 'host', 'expect'])

/** One HTTP/2 connection for each service, made at the first request and again when it has ended. */
export class H2cServices {
  readonly #limits: Limits
  readonly #sessions = new Map<string, Promise<ClientHttp2Session>>()

  constructor(limits: Limits) {
    this.#limits = limits
  }

  send(address: Address, request: H2cRequest, receiver: Receiver): Exchange {
    const exchange = new H2cExchange(request, receiver)
    const key = `${address.host} ${address.port}`
    const session = this.#sessions.get(key) ?? this.#open(key, address)
    session.then(
      made => exchange.begin(made),
      (error: Error) => exchange.fail(error),
    )
    return exchange
  }

  destroy(): void {
    for (const session of this.#sessions.values()) session.then(made => made.destroy()).catch(() => undefined)
    this.#sessions.clear()
  }

  /** A connection that takes requests until it ends, says goodbye, or was idle too long, be it with a stream still open. */
  #open(key: string, address: Address): Promise<ClientHttp2Session> {
    const session = this.#connect(address)
    this.#sessions.set(key, session)
    const forget = (): void => {
      if (this.#sessions.get(key) === session) this.#sessions.delete(key)
    }
    session.then(made => {
      made.once('close', forget).once('goaway', forget)
      made.setTimeout(this.#limits.clientIdle, () => {
        forget()
        made.close()
      })
    }, forget)
    return session
  }

  #connect(address: Address): Promise<ClientHttp2Session> {
    return new Promise((resolve, reject) => {
      dial(address, { allowHalfOpen: false }, (error, socket: Socket) => {
        if (error !== null) return void reject(error)
        const session = connect(`http://${address.host.includes(':') ? '[::1]' : address.host}:${address.port}`, {
          createConnection: () => socket,
          settings: { enablePush: false, initialWindowSize: this.#limits.h2Window },
          maxSessionMemory: 128,
        })
        session.setLocalWindowSize(this.#limits.h2Window * 16)
        // Each stream hears of its end by itself.
        session.on('error', () => undefined)
        resolve(session)
      })
    })
  }
}

/** A request as a stream of a service's connection. */
class H2cExchange implements Exchange {
  readonly #request: H2cRequest
  readonly #receiver: Receiver
  #stream: ClientHttp2Stream | undefined
  #over = false
  #begun = false
  #trailers: RawHeaders = []

  constructor(request: H2cRequest, receiver: Receiver) {
    this.#request = request
    this.#receiver = receiver
  }

  begin(session: ClientHttp2Session): void {
    try {
      this.#start(session)
    } catch (error) {
      // node:http2 does not take the request's head.
      this.#broke({ kind: 'broken', detail: `cannot be asked by HTTP/2: ${messageOf(error)}`, begun: false })
    }
  }

  #start(session: ClientHttp2Session): void {
    if (this.#over) return
    if (session.closed || session.destroyed) return void this.#broke({ kind: 'stale' })
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
    stream.on('continue', () => this.#receiver.interim(headOf(100, [], { by: 'nothing' })))
    stream.on('headers', (info: IncomingHttpHeaders, _flags: number, raw: string[]) => {
      const status = Number(info[':status'])
      if (status !== 100) this.#receiver.interim(headOf(status, raw, { by: 'nothing' }))
    })
    stream.once('response', (info: IncomingHttpHeaders, flags: number, raw: string[]) => {
      this.#begun = true
      const ends = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0
      const length = Number(info['content-length'])
      const body: Ending = Number.isSafeInteger(length) ? { by: 'length', length } : { by: 'chunks' }
      this.#receiver.head(headOf(Number(info[':status']), raw, ends ? { by: 'nothing' } : body))
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
    stream.once('end', () => this.#ended(stream))
    stream.once('error', error => this.fail(error))
    stream.once('close', () => this.fail(new Error('closed the stream without an answer')))
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
        stream.destroy(new Error(`trailers that cannot be passed on: ${messageOf(error)}`))
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

  fail(error: Error): void {
    if (this.#stream === undefined && neverConnected(error)) return void this.#broke({ kind: 'refused' })
    // Not processed at all, says the service (RFC 9113 section 8.7).
    const refused = this.#stream?.rstCode === constants.NGHTTP2_REFUSED_STREAM
    if (refused && !this.#begun && this.#request.repeatable) return void this.#broke({ kind: 'stale' })
    this.#broke({ kind: 'broken', detail: `broke off: ${messageOf(error)}`, begun: this.#begun })
  }

  #ended(stream: ClientHttp2Stream): void {
    if (!this.#over && this.#begun && (stream.rstCode ?? 0) === 0) {
      this.#over = true
      this.#receiver.end(this.#trailers)
      this.#receiver.flush()
    }
    // What is left of the request is not wanted.
    if (!stream.writableFinished) drop(stream)
  }

  #broke(broken: Broken): void {
    if (this.#over) return
    this.#over = true
    this.#receiver.failed(broken)
  }
}

/** Ends a stream. One that was reset with NO_ERROR is closed, but node:http2 keeps it until all is read and written, which may be never. */
function drop(stream: ClientHttp2Stream): void {
  if (stream.closed) return void stream.destroy()
  stream.close(constants.NGHTTP2_CANCEL)
  // Its service may have ended it meanwhile: then it is kept, too.
  stream.resume()
}

function headOf(status: number, raw: RawHeaders, ending: Ending): ResponseHead {
  const fields: string[] = []
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? ''
    if (!name.startsWith(':')) fields.push(name, raw[i + 1] ?? '')
  }
  const lines = headLines('', fields).slice(2, -2)
  return { status, reason: '', fields: lines, ending, keep: true, upgrade: undefined, trailer: undefined, end: 0 }
}
