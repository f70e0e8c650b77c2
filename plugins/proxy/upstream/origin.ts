import type { Socket } from 'node:net'
import type { PortTraffic } from '../../../kernel/contract/plugin.ts'
import type { Limits } from '../limits.ts'
import { UpstreamConnection } from './connection.ts'
import { type Address, dial, neverConnected } from './dial.ts'
import type { Exchange, ExchangeFailure, Http1UpstreamRequest, Origin, Receiver } from './exchange.ts'

// All connections read into the same bytes, one after the other: a receiver copies what it keeps.
const shared = Buffer.allocUnsafeSlow(64 * 1024)

/** Connections to one address by HTTP/1.1, and the requests that wait for one. */
export class Http1Origin implements Origin {
  readonly address: Address
  readonly #limits: Limits
  readonly #onIdle: () => void
  /** The most recently used is last. */
  readonly #idle: UpstreamConnection[] = []
  readonly #connections = new Set<UpstreamConnection>()
  readonly #queue: PendingExchange[] = []
  #connecting = 0
  /** Connections that have switched protocols, until they are closed. */
  #switched = 0
  /** When the last request was over: performance.now(). */
  #usedAt = 0

  constructor(address: Address, limits: Limits, onIdle: () => void) {
    this.address = address
    this.#limits = limits
    this.#onIdle = onIdle
  }

  get isUnused(): boolean {
    return this.#connections.size === 0 && this.#switched === 0 && this.#connecting === 0 && this.#queue.length === 0
  }

  get traffic(): PortTraffic {
    const connections = this.#connections.size + this.#switched + this.#connecting
    return { open: connections - this.#idle.length + this.#queue.length, connections, usedAt: this.#usedAt }
  }

  send(request: Http1UpstreamRequest, receiver: Receiver): Exchange {
    if (request.upgrade) return this.#sendOnOwn(request, receiver)
    if (!request.fresh) {
      for (let connection = this.#idle.pop(); connection !== undefined; connection = this.#idle.pop()) {
        if (!connection.isUsable) continue
        connection.start(request, receiver)
        return connection
      }
    }
    const waiting: PendingExchange = new PendingExchange(request, receiver, () => {
      const at = this.#queue.indexOf(waiting)
      if (at !== -1) this.#queue.splice(at, 1)
    })
    this.#queue.push(waiting)
    this.#dial()
    return waiting
  }

  /** Uses a connection that another protocol may use afterwards, which reads it as a stream. */
  #sendOnOwn(request: Http1UpstreamRequest, receiver: Receiver): Exchange {
    let isAborted = false
    const waiting = new PendingExchange(request, receiver, () => {
      isAborted = true
    })
    dial(this.address, { allowHalfOpen: false }, (error, socket) => {
      if (isAborted) socket.destroy()
      else if (error !== null) receiver.failed(dialFailure(error))
      else {
        const connection = new UpstreamConnection(socket, this, this.#limits.head, true)
        this.#connections.add(connection)
        waiting.begin(connection)
      }
    })
    return waiting
  }

  closeIdle(before: number): number {
    for (
      let connection = this.#idle[0];
      connection !== undefined && connection.idleSince < before;
      connection = this.#idle[0]
    ) {
      this.#idle.shift()
      connection.socket.destroy()
    }
    return this.#idle.length
  }

  destroy(): void {
    for (const connection of this.#connections) connection.socket.destroy()
  }

  /** Opens connections for waiting requests, few at a time: the accept queue of a server is short. */
  #dial(): void {
    const { upstreamSockets, upstreamConnecting } = this.#limits
    // Waiting requests cannot use an idle connection, or they would have: close one to make room.
    if (this.#connections.size + this.#connecting >= upstreamSockets && this.#queue.length > 0)
      this.#idle[0]?.socket.destroy()
    while (
      this.#connecting < Math.min(this.#queue.length, upstreamConnecting) &&
      this.#connections.size + this.#connecting < upstreamSockets
    ) {
      this.#connecting++
      // Undefined until the socket is connected, and so before the first byte.
      let connection: UpstreamConnection | undefined
      const callback = (size: number): boolean => {
        connection?.read(shared, size)
        return true
      }
      const flows = this.address.tls !== undefined
      const onread = flows ? {} : { onread: { buffer: shared, callback } }
      dial(this.address, { allowHalfOpen: false, ...onread }, (error, socket) => {
        this.#connecting--
        if (error !== null) this.#fail(error)
        else {
          connection = new UpstreamConnection(socket, this, this.#limits.head, flows)
          this.#connections.add(connection)
          this.#use(connection)
        }
        this.#dial()
      })
    }
  }

  idle(connection: UpstreamConnection): void {
    this.#use(connection)
  }

  closed(connection: UpstreamConnection): void {
    this.#connections.delete(connection)
    const at = this.#idle.indexOf(connection)
    if (at !== -1) this.#idle.splice(at, 1)
    if (connection.idleSince === 0) this.#usedAt = performance.now()
    if (!connection.socket.destroyed) this.#watchSwitched(connection.socket)
    if (this.#queue.length > 0) this.#dial()
  }

  #watchSwitched(socket: Socket): void {
    this.#switched++
    socket.once('close', () => {
      this.#switched--
      this.#usedAt = performance.now()
      this.#onIdle()
    })
  }

  /** Gives a connection to the first request that may use it, or keeps it idle. */
  #use(connection: UpstreamConnection): void {
    const at = this.#queue.findIndex(waiting => !connection.wasUsed || !waiting.request.fresh)
    const waiting = at === -1 ? undefined : this.#queue.splice(at, 1)[0]
    if (waiting !== undefined) waiting.begin(connection)
    else {
      connection.idleSince = performance.now()
      this.#usedAt = connection.idleSince
      this.#idle.push(connection)
      this.#onIdle()
    }
  }

  /** Fails one request for each failed connection; the others in the queue get their own attempt. */
  #fail(error: Error): void {
    this.#queue.shift()?.receiver.failed(dialFailure(error))
  }
}

function dialFailure(error: Error): ExchangeFailure {
  if (neverConnected(error)) return { kind: 'refused' }
  return { kind: 'broken', detail: `could not be reached: ${error.message}`, begun: false }
}

/** An exchange that waits for a connection. */
class PendingExchange implements Exchange {
  readonly request: Http1UpstreamRequest
  readonly receiver: Receiver
  readonly #cancel: () => void
  #connection: UpstreamConnection | undefined

  constructor(request: Http1UpstreamRequest, receiver: Receiver, cancel: () => void) {
    this.request = request
    this.receiver = receiver
    this.#cancel = cancel
  }

  begin(connection: UpstreamConnection): void {
    this.#connection = connection
    connection.start(this.request, this.receiver)
  }

  write(piece: Buffer | string): boolean {
    return this.#connection?.write(piece) ?? false
  }

  finish(): void {
    this.#connection?.finish()
  }

  resume(): void {
    this.#connection?.resume()
  }

  abort(): void {
    this.#cancel()
    this.#connection?.abort()
  }
}
