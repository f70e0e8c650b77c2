import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { Log } from '../../../kernel/contract/plugin.ts'
import type { Telling } from '../message/forwarded.ts'
import { fieldsOf, type H2Request, narrowOf, requestOf } from '../message/h2-headers.ts'
import { valuesOf } from '../message/headers.ts'
import { type Head, headOf } from '../message/request-info.ts'
import * as refusal from '../pages/errors.ts'
import { type Answer, render } from '../pages/responses.ts'
import type { Destination, Failure } from '../routing/decision.ts'
import { type Carrier, caseOf, judge, type Tried } from '../routing/dispatch.ts'
import type { Gate } from '../routing/router.ts'
import { eventStream, type Flights } from '../upstream/in-flight.ts'
import type { Upstreams } from '../upstream/pool.ts'
import { H2Errand, type H2Way } from './forward.ts'

/** What a stream needs of the proxy. */
export interface VisitParts {
  readonly gate: Gate
  readonly log: Log
  readonly upstreams: Upstreams
  readonly flights: Flights
}

/** One stream: its request is judged, and answered or carried to its service. */
export class Visit {
  readonly #stream: ServerHttp2Stream
  readonly #telling: Telling
  readonly #parts: VisitParts
  #errand: H2Errand | undefined
  #landed: (() => void) | undefined

  constructor(stream: ServerHttp2Stream, telling: Telling, parts: VisitParts) {
    this.#stream = stream
    this.#telling = telling
    this.#parts = parts
    // What goes wrong on a stream ends it; 'close' tells whoever works on it.
    stream.on('error', ignored)
  }

  /** @param flags of the HEADERS frame @param raw its header list */
  serve(flags: number, raw: readonly string[]): void {
    const more = (flags & constants.NGHTTP2_FLAG_END_STREAM) === 0
    if (more || !this.#goesStraight(raw)) this.#judged(raw, more)
  }

  /** The stream has closed. */
  left(): void {
    this.#landed?.()
    this.#errand?.left()
  }

  /** A plain request whose service runs needs no more than its lines. */
  #goesStraight(raw: readonly string[]): boolean {
    const { gate } = this.#parts
    const narrow = narrowOf(raw)
    if (narrow === undefined) return false
    const { method, path, host, fields } = narrow
    const { scheme } = this.#telling.client
    const to = gate.direct(host, path, scheme)
    if (to === undefined) return false
    const lines = this.#telling.lines(host, to.prefix)
    const as = `${method} ${to.path} HTTP/1.1\r\nhost: ${host}\r\n${fields}${lines}\r\n`
    const since = performance.now()
    const failed = (failure: Failure): void => this.#judged(raw, false, { to, since, failure })
    const request: H2Request = { method, path, fields: [], body: 'none', protocol: undefined, trailers: [] }
    this.#carry(request, { to, as, seen: { scheme, host }, failed })
    return true
  }

  #judged(raw: readonly string[], more: boolean, tried?: Tried): void {
    const stream = this.#stream
    const request = requestOf(raw, more)
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
    const { client } = this.#telling
    const carrier: Carrier = {
      gone: () => isOver(stream) || stream.headersSent,
      answer: answer => answerOn(stream, answer, head),
      carry: (to: Destination, failed: (failure: Failure) => void) => {
        const as = { ...client, host: head.host, hops: head.hops, prefix: to.prefix }
        this.#carry(request, { to, as, seen: as, failed })
      },
    }
    judge(this.#parts.gate, caseOf(head, client.scheme, stream), carrier, this.#parts.log, tried)
  }

  #carry(request: H2Request, { to, as, seen, failed }: H2Way): void {
    // One that is to become a WebSocket would never land.
    const lands = request.protocol === undefined && !accepts(request, as, eventStream)
    const landed = lands ? this.#parts.flights.track(to.key) : undefined
    this.#landed = landed
    const way: H2Way = {
      to,
      as,
      seen,
      failed: failure => {
        landed?.()
        failed(failure)
      },
    }
    this.#errand = new H2Errand(this.#stream, request, way, this.#parts.upstreams)
    this.#errand.start()
  }
}

function ignored(): void {}

function accepts(request: H2Request, as: H2Way['as'], type: string): boolean {
  return typeof as === 'string' ? as.includes(type) : valuesOf(request.fields, 'accept').some(it => it.includes(type))
}

/** A stream that was reset is closed at once, and destroyed only when what came on it is read: node:http2 throws at an answer to either. */
function isOver({ closed, destroyed }: ServerHttp2Stream): boolean {
  return closed || destroyed
}

/** Answers by the proxy itself; a body that the client still sends goes nowhere. */
function answerOn(stream: ServerHttp2Stream, answer: Answer, head?: Head): void {
  if (isOver(stream) || stream.headersSent) return void stream.destroy()
  const { status, headers, body } = render(answer, head?.wantsHtml ?? false)
  const empty = head?.method === 'HEAD' || body.length === 0
  stream.respond({ ':status': status, ...fieldsOf(headers) }, { endStream: empty })
  if (!empty) stream.end(body)
  stream.resume()
}
