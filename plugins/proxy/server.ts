import { createServer, type Server, type Socket } from 'node:net'
import type { Log, Memory } from '../../kernel/contract/plugin.ts'
import { FastConnection, type FastParts } from './http1/fast-path.ts'
import { Http1Server } from './http1/server.ts'
import { rereadEnd, shareReads } from './http1/shared-read.ts'
import { Http2Server } from './http2/server.ts'
import type { Limits } from './limits.ts'
import { ConnectionLimit } from './listen/descriptor-limit.ts'
import { HttpsRedirect } from './listen/https-redirect.ts'
import { secureServer, type TlsContexts } from './listen/tls.ts'
import type { Front } from './provides.ts'
import { RateLimitedLog } from './rate-limited-log.ts'
import type { Recorder } from './recorder/recorder.ts'
import { RequestWatch } from './request-watch.ts'
import { type ReadArrival, readOwnArrival } from './routing/arrival.ts'
import type { Attempt } from './routing/dispatch.ts'
import type { RequestRouter } from './routing/router.ts'
import type { Sender } from './upstream/exchange.ts'
import { InFlight } from './upstream/in-flight.ts'
import { UpstreamPool } from './upstream/pool.ts'

/** Free memory after this many closed connections: each of TLS has used about 100 KB. */
const memoryInterval = 256

const preface = 'PRI * HTTP/2.0\r\n'

/** What the server needs besides a router. */
export interface ProxyParts {
  readonly limits: Limits
  readonly log: Log
  readonly memory: Memory
  /** Undefined where nothing is recorded. */
  readonly recorder?: Recorder | undefined
  readonly requestWatch: RequestWatch
  /** How requests are read; default: as requests for the services' own names. */
  readonly readArrival?: ReadArrival
  /** The server whose connections to services it uses, too; default: its own. */
  readonly beside?: ProxyServer
}

/** Accepts all connections. Each begins on the fast path, or as HTTP/2 if TLS has negotiated it. */
export class ProxyServer {
  readonly #parts: ProxyParts
  readonly #router: RequestRouter
  readonly #limits: Limits
  readonly #clientLog: RateLimitedLog
  readonly #connectionLimit: ConnectionLimit
  readonly #pool: UpstreamPool
  readonly #inFlight: InFlight
  readonly #isPoolShared: boolean
  readonly #http1: Http1Server
  readonly #http2: Http2Server
  readonly #redirect: HttpsRedirect
  readonly #fast = new Set<FastConnection>()
  readonly #servers: Server[] = []
  readonly #fastParts: FastParts
  readonly #memory: Memory
  #closedCount = 0
  #sweep: NodeJS.Timeout | undefined

  constructor(router: RequestRouter, parts: ProxyParts) {
    const { limits, log, memory, recorder, requestWatch, readArrival = readOwnArrival, beside } = parts
    this.#parts = parts
    this.#memory = memory
    this.#router = router
    this.#limits = limits
    this.#clientLog = new RateLimitedLog(log)
    this.#connectionLimit = new ConnectionLimit(limits.descriptors, this.#clientLog)
    this.#isPoolShared = beside !== undefined
    this.#pool = beside === undefined ? new UpstreamPool(limits, memory) : beside.#pool
    this.#inFlight = beside === undefined ? new InFlight() : beside.#inFlight
    const [pool, inFlight] = [this.#pool, this.#inFlight]
    const watched = { recorder, requestWatch }
    const shared = { router, limits, log, clientLog: this.#clientLog, inFlight, pool, readArrival, ...watched }
    this.#http1 = new Http1Server(shared)
    this.#http2 = new Http2Server(shared)
    this.#redirect = new HttpsRedirect(limits)
    this.#fastParts = {
      router,
      pool,
      limits,
      ...watched,
      inFlight,
      handOver: (socket, bytes, attempt) => this.#handOver(socket, bytes, attempt),
      closed: connection => this.#fast.delete(connection),
    }
  }

  /** Creates a server for plain HTTP that does not listen yet. */
  createPlain(): Server {
    const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, accepted => {
      if (this.#connectionLimit.rejects(accepted)) return
      let connection: FastConnection | undefined
      const socket = shareReads(accepted, (bytes, count) => connection?.read(bytes, count) ?? false)
      connection = this.#begin(socket ?? accepted, 'http', socket === undefined)
      if (socket === undefined) accepted.resume()
    })
    return this.#add(server)
  }

  /** Opens another server that uses the connections to services of this one. */
  openFront(router: RequestRouter, readArrival: ReadArrival): Front {
    // Its clients are no processes of this machine.
    const parts = { ...this.#parts, requestWatch: new RequestWatch(), readArrival, beside: this }
    const front = new ProxyServer(router, parts)
    return { createServer: () => front.createPlain(), close: () => front.close() }
  }

  /** Creates a server for TLS that does not listen yet. */
  createSecure(contexts: TlsContexts): Server {
    const server = secureServer(contexts, this.#limits, this.#clientLog, {
      rejects: socket => this.#connectionLimit.rejects(socket),
      secure: socket => {
        // Set only after the handshake; otherwise aborted handshakes linger until the timeout.
        socket.allowHalfOpen = true
        if (socket.alpnProtocol === 'h2') this.#http2.serve(socket)
        else this.#begin(socket, 'https', true)
      },
      plain: socket => this.#redirect.serve(socket),
    })
    return this.#add(server)
  }

  /** Waits until a service's requests in flight are answered, so that its restart fails none. */
  drain(key: string): Promise<void> {
    return this.#inFlight.drain(key, this.#limits.draining)
  }

  /** The connections to services, for requests of the proxy's own. */
  get pool(): Pick<UpstreamPool, 'trafficOf'> & Sender {
    return this.#pool
  }

  /** Stops listening, waits a moment for requests in flight, then closes all connections. */
  async close(): Promise<void> {
    this.#router.close()
    for (const server of this.#servers) if (server.listening) server.close()
    for (const connection of this.#fast) if (!connection.isBusy) connection.destroy()
    this.#redirect.close()
    await Promise.all([this.#http1.close(), this.#http2.close(), this.#waitForFast()])
    for (const connection of this.#fast) connection.destroy()
    clearInterval(this.#sweep)
    if (!this.#isPoolShared) this.#pool.destroy()
  }

  #add(server: Server): Server {
    const onClose = (): void => {
      this.#closedCount += 1
      if (this.#closedCount % memoryInterval === 0) this.#memory.rest('native')
    }
    server.on('connection', (socket: Socket) => socket.once('close', onClose))
    this.#servers.push(server)
    return server
  }

  #begin(socket: Socket, scheme: 'http' | 'https', flows: boolean): FastConnection {
    const connection = new FastConnection(socket, scheme, this.#fastParts, flows)
    this.#fast.add(connection)
    this.#sweep ??= setInterval(() => this.#closeIdle(), Math.ceil(this.#limits.headTimeout / 3)).unref()
    return connection
  }

  /** Gives a connection of the fast path to HTTP/2 or to node:http. */
  #handOver(socket: Socket, bytes: Buffer, attempt: Attempt | undefined): void {
    if (bytes.length >= preface.length && bytes.toString('latin1', 0, preface.length) === preface) {
      // Paused, so that only node:http2 reads it.
      socket.pause()
      socket.unshift(bytes)
      this.#http2.serve(socket)
    } else {
      // A half-closed stream emits no second 'end': read it by a new one.
      const readable = socket.readableEnded ? rereadEnd(socket) : socket
      if (readable === undefined) socket.destroy()
      else this.#http1.serve(readable, bytes, attempt)
    }
  }

  /** Closes silent and idle connections; stops when there are none. */
  #closeIdle(): void {
    const now = performance.now()
    for (const connection of this.#fast) {
      const limit = connection.isSilent ? this.#limits.headTimeout : this.#limits.clientIdle
      if (!connection.isBusy && now - connection.lastActive > limit) connection.destroy()
    }
    if (this.#fast.size > 0) return
    clearInterval(this.#sweep)
    this.#sweep = undefined
  }

  /** Waits until the fast path has answered its requests in flight, up to a limit. */
  async #waitForFast(): Promise<void> {
    const end = performance.now() + this.#limits.closing
    const isBusy = (): boolean => [...this.#fast].some(connection => connection.isBusy)
    while (isBusy() && performance.now() < end) await new Promise(resolve => setTimeout(resolve, 10))
  }
}
