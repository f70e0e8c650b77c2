import {
  constants,
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Log } from '../../kernel/plugin.ts'
import { type Answer, render } from './answers.ts'
import { caseOf } from './case.ts'
import type { Complaints } from './complaints.ts'
import type { Destination, Failure, Gate } from './gate.ts'
import { H2Errand } from './h2-errand.ts'
import { fieldsOf, requestOf } from './h2-head.ts'
import { type Head, headOf } from './head.ts'
import { type Carrier, judge } from './judge.ts'
import type { Limits } from './limits.ts'
import * as refusal from './refusals.ts'
import type { Upstreams } from './upstreams.ts'

/** What HTTP/2 needs of the proxy. */
export interface H2Parts {
  readonly gate: Gate
  readonly limits: Limits
  readonly log: Log
  readonly complaints: Complaints
  readonly upstreams: Upstreams
}

/** HTTP/2 on node:http2's core streams: carries out what the gate says. */
export class H2Lane {
  readonly #parts: H2Parts
  readonly #sessions = new Set<ServerHttp2Session>()
  #open = 0
  #idle: (() => void) | undefined

  constructor(parts: H2Parts) {
    this.#parts = parts
  }

  /** Serves a connection from here on. */
  serve(socket: Socket): void {
    const { limits, complaints } = this.#parts
    const client = clientOf(socket)
    const session = performServerHandshake(socket, optionsOf(limits))
    this.#sessions.add(session)
    session.setLocalWindowSize(limits.h2Window * 16)
    let open = 0
    const resets = new Resets()
    session.on('stream', (stream: ServerHttp2Stream, _headers: IncomingHttpHeaders, flags: number, raw: string[]) => {
      open++
      this.#open++
      stream.once('close', () => {
        open--
        if (stream.aborted && resets.tooMany()) this.#tooBusy(session)
        if (--this.#open === 0) this.#idle?.()
      })
      this.#serve(stream, flags, raw, client)
    })
    session.on('error', error => complaints.say(`an HTTP/2 connection failed: ${error.message}`))
    session.on('frameError', () => session.destroy())
    session.setTimeout(limits.clientIdle, () => {
      if (open === 0) session.close()
    })
    session.once('close', () => this.#sessions.delete(session))
  }

  /** Takes no new requests, gives those in flight a moment, then ends all connections. */
  async close(): Promise<void> {
    for (const session of this.#sessions) session.close()
    if (this.#open > 0) {
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, this.#parts.limits.closing)
        this.#idle = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    for (const session of this.#sessions) session.destroy()
  }

  /** Lets a client go that resets its streams as fast as it makes them (CVE-2023-44487). */
  #tooBusy(session: ServerHttp2Session): void {
    if (session.closed) return
    this.#parts.complaints.say('ended an HTTP/2 connection that resets its streams too fast')
    session.close()
    setTimeout(() => session.destroy(), this.#parts.limits.closing).unref()
  }

  #serve(stream: ServerHttp2Stream, flags: number, raw: readonly string[], client: Client): void {
    // What goes wrong on a stream ends it; 'close' tells whoever works on it.
    stream.on('error', () => undefined)
    const request = requestOf(raw, (flags & constants.NGHTTP2_FLAG_END_STREAM) === 0)
    if (typeof request === 'string') return void answerOn(stream, refusal.badRequest(request))
    if (request.method === 'CONNECT') return void answerOn(stream, refusal.connect())
    const head = headOf(request.method, request.path, request.fields)
    if (typeof head === 'string') return void answerOn(stream, refusal.badRequest(head))
    if (request.body === 'chunks') {
      // They may come while the request is held.
      stream.once('trailers', (_headers: IncomingHttpHeaders, _flags: number, trailers: string[]) => {
        request.trailers = trailers
      })
    }
    const { gate, log, upstreams } = this.#parts
    const carrier: Carrier = {
      gone: () => stream.destroyed || stream.headersSent,
      answer: answer => answerOn(stream, answer, head),
      carry: (to: Destination, failed: (failure: Failure) => void) => {
        const passage = { ...client, host: head.host, hops: head.hops, prefix: to.prefix }
        new H2Errand(stream, request, { to, passage, failed }, upstreams).start()
      },
    }
    judge(gate, caseOf(head, client.scheme, stream), carrier, log)
  }
}

/** How fast a client resets its streams: as many at once, and a second, as nghttp2 puts up with before it reads no more. */
class Resets {
  readonly #burst = 1000
  readonly #perSecond = 33
  #left = this.#burst
  #last = performance.now()

  tooMany(): boolean {
    const now = performance.now()
    this.#left = Math.min(this.#burst, this.#left + ((now - this.#last) / 1000) * this.#perSecond) - 1
    this.#last = now
    return this.#left < this.#burst / 50
  }
}

/** What is the same for all requests of a connection. */
interface Client {
  readonly remote: string
  readonly port: number
  readonly scheme: 'http' | 'https'
}

function clientOf(socket: Socket): Client {
  const scheme = socket instanceof TLSSocket ? 'https' : 'http'
  return { remote: socket.remoteAddress ?? '127.0.0.1', port: socket.localPort ?? 443, scheme }
}

function optionsOf(limits: Limits) {
  return {
    // A page of a thousand modules is a thousand streams.
    settings: {
      enableConnectProtocol: true,
      maxConcurrentStreams: limits.h2Streams,
      initialWindowSize: limits.h2Window,
      maxHeaderListSize: limits.head,
    },
    maxHeaderListPairs: 1000,
    // MB for one connection: its streams' heads and what its client has not read yet.
    maxSessionMemory: 128,
    maxSessionInvalidFrames: 100,
  }
}

/** Answers by the proxy itself; a body that the client still sends goes nowhere. */
function answerOn(stream: ServerHttp2Stream, answer: Answer, head?: Head): void {
  if (stream.destroyed || stream.headersSent) return void stream.destroy()
  const { status, headers, body } = render(answer, head?.wantsHtml ?? false)
  const empty = head?.method === 'HEAD' || body.length === 0
  stream.respond({ ':status': status, ...fieldsOf(headers) }, { endStream: empty })
  if (!empty) stream.end(body)
  stream.resume()
}
