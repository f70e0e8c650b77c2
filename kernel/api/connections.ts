import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'

/** Limits of the connections that may wait. */
export interface ConnectionLimits {
  /** For a request's head. */
  readonly idle: number
  /** For the rest of a request's body. */
  readonly sending: number
}

/**
 * Limits the connections without a complete request: beyond the limit it closes the one that has waited longest, so
 * that others are served. A client sends its request as soon as it is connected.
 */
export class IdleConnections {
  readonly #all = new Set<Socket>()
  readonly #idle: WaitingSockets
  readonly #sending: WaitingSockets

  constructor(server: Server, limits: ConnectionLimits) {
    this.#idle = new WaitingSockets(limits.idle)
    this.#sending = new WaitingSockets(limits.sending)
    server.on('connection', socket => {
      this.#all.add(socket)
      this.#idle.add(socket)
      socket.once('close', () => {
        this.#all.delete(socket)
        this.#idle.delete(socket)
        this.#sending.delete(socket)
      })
    })
    server.on('upgrade', ({ socket }) => this.#idle.delete(socket))
    server.on('request', (request, response) => {
      const { socket } = request
      this.#idle.delete(socket)
      if (hasBody(request)) {
        this.#sending.add(socket)
        request.once('end', () => this.#sending.delete(socket))
      }
      response.once('close', () => {
        this.#sending.delete(socket)
        if (!socket.destroyed) this.#idle.add(socket)
      })
    })
  }

  /** Closes all connections, also those in use. */
  closeAll(): void {
    for (const socket of this.#all) socket.destroy()
  }
}

/** A limited set of sockets in the order of their arrival. */
class WaitingSockets {
  readonly #sockets = new Set<Socket>()
  readonly #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  add(socket: Socket): void {
    this.#sockets.add(socket)
    for (const oldest of this.#sockets) {
      if (this.#sockets.size <= this.#limit) return
      this.#sockets.delete(oldest)
      oldest.destroy()
    }
  }

  delete(socket: Socket): void {
    this.#sockets.delete(socket)
  }
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}
