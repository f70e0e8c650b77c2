import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import type { Log } from '../../../kernel/contract/plugin.ts'
import { messageOf, systemCode } from '../../../kernel/errors.ts'
import type { Limits } from '../limits.ts'
import { headLines } from '../message/headers.ts'
import { type Head, headOf } from '../message/request-info.ts'
import * as refusal from '../pages/errors.ts'
import { type Answer, render } from '../pages/responses.ts'
import type { Complaints } from '../rate-limited-log.ts'
import type { Destination } from '../routing/decision.ts'
import { type Carrier, caseOf, judge, type Tried } from '../routing/dispatch.ts'
import type { Gate } from '../routing/router.ts'
import { eventStream, type Flights } from '../upstream/in-flight.ts'
import type { Upstreams } from '../upstream/pool.ts'
import { type Errand, forward, safe } from './forward.ts'
import { watchHalfClosed } from './half-close.ts'
import { misframed, unreadable } from './malformed-request.ts'
import { giveUp, LaneConnection } from './pipeline.ts'
import { asPlain, detachedResponse, Early, tunnel, upgradeOf } from './upgrade.ts'

/** What this lane shares with the others. */
export interface LaneParts {
  readonly gate: Gate
  readonly limits: Limits
  readonly log: Log
  readonly complaints: Complaints
  readonly flights: Flights
  readonly upstreams: Upstreams
}

/** HTTP/1.1 over node:http: carries out what the gate says. It takes whatever the fast lane leaves to it. */
export class Lane {
  readonly #gate: Gate
  readonly #limits: Limits
  readonly #log: Log
  readonly #complaints: Complaints
  readonly #flights: Flights
  readonly #upstreams: Upstreams
  readonly #server: Server
  readonly #connections = new Map<Duplex, LaneConnection>()
  #open = 0
  #idle: (() => void) | undefined

  constructor({ gate, limits, log, complaints, flights, upstreams }: LaneParts) {
    this.#upstreams = upstreams
    this.#gate = gate
    this.#limits = limits
    this.#log = log
    this.#complaints = complaints
    this.#flights = flights
    this.#server = this.#make()
  }

  /** Serves a connection from here on; `bytes` were read from it already, the first request in them `tried`. */
  take(socket: Socket, bytes: Buffer, tried?: Tried): void {
    this.#connected(socket, tried)
    if (bytes.length > 0) socket.unshift(bytes)
    this.#server.emit('connection', socket)
    socket.resume()
  }

  /** A server that never listens: others do, and give it their connections. */
  #make(): Server {
    const limits = this.#limits
    const options = {
      maxHeaderSize: limits.head,
      headersTimeout: limits.headTimeout,
      // A slow upload is a slow upload; only heads are in a hurry.
      requestTimeout: 0,
      keepAliveTimeout: limits.clientIdle,
      connectionsCheckingInterval: Math.ceil(limits.headTimeout / 3),
      insecureHTTPParser: false,
      requireHostHeader: false,
      noDelay: true,
      // Node 24 asks before it lets go of the socket; older ones hand it over for any wish.
      shouldUpgradeCallback: (req: IncomingMessage) => upgradeOf(req) !== undefined,
    }
    const server = createServer(options)
    // A dropped header would be worse than a long head, which has its limit.
    server.maxHeadersCount = 0
    // A client may end its half once it has sent its request; Node has the switch, but no word for it in its types.
    Object.assign(server, { httpAllowHalfOpen: true })
    server.on('connection', socket => this.#connected(socket))
    server.on('request', (req, res) => this.#serve(req, res))
    server.on('checkContinue', (req, res) => this.#serve(req, res))
    server.on('checkExpectation', (req, res) => {
      this.#track(req, res)
      this.#answer(req, res, refusal.expectation())
    })
    server.on('connect', req => this.#detached(req, res => this.#answer(req, res, refusal.connect())))
    server.on('upgrade', (req, _socket, head) => this.#upgrade(server, req, head))
    server.on('clientError', (error, socket) => this.#malformed(error, socket))
    // Only then it looks after heads that take too long.
    server.emit('listening')
    return server
  }

  /** Gives requests in flight a moment, then ends all connections. */
  async close(): Promise<void> {
    this.#server.close()
    if (this.#open > 0) {
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, this.#limits.closing)
        this.#idle = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    for (const socket of this.#connections.keys()) socket.destroy()
  }

  #connected(socket: Socket, tried?: Tried): void {
    if (this.#connections.has(socket)) return
    const connection = new LaneConnection(this.#limits, tried)
    this.#connections.set(socket, connection)
    // Node takes its own away from a connection that it hands over, which may have to wait for earlier answers then.
    socket.on('error', () => socket.destroy())
    socket.once('end', () => {
      if (socket.destroyed || connection.open.size === 0) return
      if (connection.isEndless) socket.destroy()
      else watchHalfClosed(socket, connection, this.#limits.leaving)
    })
    socket.once('close', () => {
      this.#connections.delete(socket)
      connection.left()
    })
  }

  #serve(req: IncomingMessage, res: ServerResponse): void {
    // Whatever comes after a refusal, it was not meant as a request of its own (RFC 9112 section 9.6).
    if (this.#connections.get(req.socket)?.ending) return
    const isTaken = this.#track(req, res).inTurn(res, safe.has(req.method ?? ''), () =>
      this.#judge(req, res, begun => {
        forward(this.#tracked(begun), this.#upstreams)
      }),
    )
    if (isTaken) return
    this.#complaints.say(`ended a connection with more than ${this.#limits.sentAhead} requests sent ahead`)
    req.socket.destroy()
  }

  #upgrade(server: Server, req: IncomingMessage, head: Buffer): void {
    const protocol = upgradeOf(req)
    if (protocol === undefined) {
      asPlain(server, req, head)
      return
    }
    this.#detached(req, res => {
      const early = new Early(req.socket, head)
      this.#judge(req, res, errand => tunnel(errand, protocol, early, this.#upstreams))
    })
  }

  /** For a socket that the server has let go of, after the responses to earlier requests. */
  #detached(req: IncomingMessage, use: (res: ServerResponse) => void): void {
    const connection = this.#connections.get(req.socket)
    if (connection?.ending) return
    const begin = (): void => {
      if (req.socket.destroyed) return
      // The server's, for a connection that waits for requests.
      req.socket.setTimeout(0)
      const res = detachedResponse(req)
      this.#track(req, res)
      use(res)
    }
    if (connection === undefined) begin()
    else connection.afterOthers(undefined, begin)
  }

  #track(req: IncomingMessage, res: ServerResponse): LaneConnection {
    const connection = this.#connections.get(req.socket) ?? new LaneConnection(this.#limits, undefined)
    connection.open.add(res)
    this.#open++
    res.on('error', error => this.#complaints.say(`a response could not be written: ${messageOf(error)}`))
    res.once('close', () => {
      connection.closed(res)
      if (--this.#open === 0) this.#idle?.()
    })
    return connection
  }

  #judge(req: IncomingMessage, res: ServerResponse, carry: (errand: Errand) => void): void {
    const head = headOf(req.method ?? '', req.url ?? '', req.rawHeaders)
    const refused = misframed(req) ?? (typeof head === 'string' ? refusal.badRequest(head) : undefined)
    if (typeof head === 'string' || refused !== undefined) {
      this.#answer(req, res, refused ?? refusal.internal())
      return
    }
    const carrier: Carrier = {
      gone: () => res.destroyed,
      answer: answer => this.#answer(req, res, answer, head),
      carry: (to, failed) => carry(this.#errand(req, res, head, to, failed)),
    }
    const connection = this.#connections.get(req.socket)
    const tried = connection?.tried
    if (connection !== undefined) connection.tried = undefined
    judge(this.#gate, caseOf(head, schemeOf(req), res), carrier, this.#log, tried)
  }

  #errand(req: IncomingMessage, res: ServerResponse, head: Head, to: Destination, failed: Errand['failed']): Errand {
    const remote = req.socket.remoteAddress ?? '127.0.0.1'
    const port = req.socket.localPort ?? 80
    return {
      req,
      res,
      to,
      failed,
      passage: { remote, scheme: schemeOf(req), host: head.host, port, hops: head.hops, prefix: to.prefix },
    }
  }

  /** In flight until it is answered or comes to nothing; upgraded connections are not, for they would never land. */
  #tracked(errand: Errand): Errand {
    if (errand.req.headers.accept?.includes(eventStream)) return errand
    const landed = this.#flights.track(errand.to.key)
    errand.res.once('close', landed)
    const failed: Errand['failed'] = failure => {
      errand.res.off('close', landed)
      landed()
      errand.failed(failure)
    }
    return { ...errand, failed }
  }

  #answer(req: IncomingMessage, res: ServerResponse, answer: Answer, head?: Head): void {
    if (res.headersSent || res.destroyed) return void res.destroy()
    const { status, reason, headers, body } = render(answer, head?.wantsHtml ?? false)
    // After a refusal nobody can tell where the next request begins, or whether an announced body follows.
    if (status === 400 || status === 501 || status === 505 || req.headers.expect !== undefined) {
      headers.push('Connection', 'close')
      const connection = this.#connections.get(req.socket)
      if (connection !== undefined) connection.ending = true
    }
    res.writeHead(status, reason, headers)
    res.end(req.method === 'HEAD' ? undefined : body)
  }

  /** Node's parser refused what a client sent, or it took too long over a head. Good requests before that are answered first. */
  #malformed(error: Error, socket: Duplex): void {
    const connection = this.#connections.get(socket)
    if (connection?.ending) return
    const code = systemCode(error) ?? ''
    const silent = 'bytesRead' in socket && socket.bytesRead === 0
    if (!socket.writable || code === 'ECONNRESET' || silent || connection === undefined) return void socket.destroy()
    connection.ending = true
    // After a request that says it is the last, what follows is none (RFC 9112 section 9.6).
    if (code === 'HPE_CLOSED_CONNECTION') return
    // What cannot be read may be the body of a request that is worked on already.
    const { last } = connection
    const partial = last?.req.complete === false ? last : undefined
    connection.afterOthers(partial, () => {
      if (partial?.headersSent) return void socket.destroy()
      if (partial !== undefined) {
        if (partial.socket !== null) partial.detachSocket(partial.socket)
        giveUp(partial)
      }
      this.#refuse(socket, code, error.message)
    })
    // Where a client has ended its half, Node ends the connection with the last good answer.
    for (const res of connection.open)
      if (res !== partial) res.prependOnceListener('finish', () => connection.closed(res))
  }

  #refuse(socket: Duplex, code: string, message: string): void {
    if (!socket.writable) return void socket.destroy()
    const [status, why] = unreadable(code, message, this.#limits.head)
    this.#complaints.say(`refused a malformed request: ${why}`)
    const { reason, headers, body } = render({ ...refusal.badRequest(why), status }, false)
    const head = headLines(`HTTP/1.1 ${status} ${reason}`, [...headers, 'Connection', 'close'])
    // The rest of what it sends is read for a moment: a reset could overtake the answer.
    socket.end(Buffer.concat([Buffer.from(head, 'latin1'), body]), () =>
      setTimeout(() => socket.destroy(), this.#limits.closing).unref(),
    )
  }
}

function schemeOf(req: IncomingMessage): 'http' | 'https' {
  return req.socket instanceof TLSSocket ? 'https' : 'http'
}
