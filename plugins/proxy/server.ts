import { createServer, type Server, type Socket } from 'node:net'
import type { Log, Memory } from '../../kernel/contract/plugin.ts'
import { FastConnection, type FastParts } from './http1/fast-path.ts'
import { Lane } from './http1/server.ts'
import { rereading, sharing } from './http1/shared-read.ts'
import { H2Lane } from './http2/server.ts'
import type { Limits } from './limits.ts'
import { Crowd } from './listen/descriptor-limit.ts'
import { Redirect } from './listen/https-redirect.ts'
import { type Contexts, secureServer } from './listen/tls.ts'
import { Complaints } from './rate-limited-log.ts'
import type { Tried } from './routing/dispatch.ts'
import type { Gate } from './routing/router.ts'
import { reportDiscarded } from './upstream/buffers.ts'
import { Flights } from './upstream/in-flight.ts'
import { Upstreams } from './upstream/pool.ts'

/** So many connections that have ended leave much behind: each of TLS has taken some 100 KB. */
const many = 256

const preface = 'PRI * HTTP/2.0\r\n'

/** What the front needs besides a gate. */
export interface FrontParts {
  readonly limits: Limits
  readonly log: Log
  readonly memory: Memory
}

/** What the proxy listens with: every connection begins in the fast lane, or in HTTP/2 where TLS agreed on it. */
export class Front {
  readonly #gate: Gate
  readonly #limits: Limits
  readonly #complaints: Complaints
  readonly #crowd: Crowd
  readonly #upstreams: Upstreams
  readonly #flights = new Flights()
  readonly #lane: Lane
  readonly #h2: H2Lane
  readonly #redirect: Redirect
  readonly #fast = new Set<FastConnection>()
  readonly #servers: Server[] = []
  readonly #parts: FastParts
  readonly #memory: Memory
  #ended = 0
  #sweep: NodeJS.Timeout | undefined

  constructor(gate: Gate, { limits, log, memory }: FrontParts) {
    this.#memory = memory
    reportDiscarded(memory)
    this.#gate = gate
    this.#limits = limits
    this.#complaints = new Complaints(log)
    this.#crowd = new Crowd(limits.descriptors, this.#complaints)
    this.#upstreams = new Upstreams(limits)
    const upstreams = this.#upstreams
    const shared = { gate, limits, log, complaints: this.#complaints, flights: this.#flights, upstreams }
    this.#lane = new Lane(shared)
    this.#h2 = new H2Lane(shared)
    this.#redirect = new Redirect(limits)
    this.#parts = {
      gate,
      upstreams,
      limits,
      flights: this.#flights,
      others: (socket, bytes, tried) => this.#others(socket, bytes, tried),
      gone: connection => this.#fast.delete(connection),
    }
  }

  /** A server for plain HTTP that does not listen yet. */
  plain(): Server {
    const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, accepted => {
      if (this.#crowd.refuses(accepted)) return
      let connection: FastConnection | undefined
      const socket = sharing(accepted, (bytes, count) => connection?.read(bytes, count) ?? false)
      connection = this.#begin(socket ?? accepted, 'http', socket === undefined)
      if (socket === undefined) accepted.resume()
    })
    return this.#added(server)
  }

  /** A server for TLS that does not listen yet. */
  secure(contexts: Contexts): Server {
    const server = secureServer(contexts, this.#limits, this.#complaints, {
      refuses: socket => this.#crowd.refuses(socket),
      secure: socket => {
        // Not before: whoever leaves instead of agreeing on TLS would stay for as long as that may take.
        socket.allowHalfOpen = true
        if (socket.alpnProtocol === 'h2') this.#h2.serve(socket)
        else this.#begin(socket, 'https', true)
      },
      plain: socket => this.#redirect.take(socket),
    })
    return this.#added(server)
  }

  /** Waits for what a service has begun to answer, so that its restart fails no request. */
  landed(key: string): Promise<void> {
    return this.#flights.landed(key, this.#limits.landing)
  }

  /** Stops listening, gives requests in flight a moment, then ends all connections. */
  async close(): Promise<void> {
    this.#gate.close()
    for (const server of this.#servers) if (server.listening) server.close()
    for (const connection of this.#fast) if (!connection.busy) connection.destroy()
    this.#redirect.close()
    await Promise.all([this.#lane.close(), this.#h2.close(), this.#rest()])
    for (const connection of this.#fast) connection.destroy()
    clearInterval(this.#sweep)
    this.#upstreams.destroy()
  }

  #added(server: Server): Server {
    const ended = (): void => {
      this.#ended += 1
      if (this.#ended % many === 0) this.#memory.rest('native')
    }
    server.on('connection', (socket: Socket) => socket.once('close', ended))
    this.#servers.push(server)
    return server
  }

  #begin(socket: Socket, scheme: 'http' | 'https', flows: boolean): FastConnection {
    const connection = new FastConnection(socket, scheme, this.#parts, flows)
    this.#fast.add(connection)
    this.#sweep ??= setInterval(() => this.#tidy(), Math.ceil(this.#limits.headTimeout / 3)).unref()
    return connection
  }

  #others(socket: Socket, bytes: Buffer, tried: Tried | undefined): void {
    if (bytes.length >= preface.length && bytes.toString('latin1', 0, preface.length) === preface) {
      // It must not flow: nobody listens but HTTP/2, which reads what is there by itself.
      socket.pause()
      socket.unshift(bytes)
      this.#h2.serve(socket)
    } else {
      // Of one that has ended nothing can be read again, but by a stream of its own.
      const readable = socket.readableEnded ? rereading(socket) : socket
      if (readable === undefined) socket.destroy()
      else this.#lane.take(readable, bytes, tried)
    }
  }

  /** Ends connections that say nothing; stops when there are none. */
  #tidy(): void {
    const now = performance.now()
    for (const connection of this.#fast) {
      const limit = connection.silent ? this.#limits.headTimeout : this.#limits.clientIdle
      if (!connection.busy && now - connection.active > limit) connection.destroy()
    }
    if (this.#fast.size > 0) return
    clearInterval(this.#sweep)
    this.#sweep = undefined
  }

  /** Waits until the fast lane has answered what it has begun, for as long as it may. */
  async #rest(): Promise<void> {
    const end = performance.now() + this.#limits.closing
    const busy = (): boolean => [...this.#fast].some(connection => connection.busy)
    while (busy() && performance.now() < end) await new Promise(resolve => setTimeout(resolve, 10))
  }
}
