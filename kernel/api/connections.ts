import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'

/** How many connections may wait for what. */
export interface ConnectionLimits {
  /** For a request's head. */
  readonly idle: number
  /** For the rest of a request's body. */
  readonly sending: number
}

/**
 * Connections that ask for nothing, or not for all of it, kept to a number: beyond it the one that has waited for longest is closed, so
 * that others are served. A client sends its request as soon as it is connected.
 */
export class IdleConnections {
  readonly #all = new Set<Socket>()
  readonly #idle: Waiting
  readonly #sending: Waiting

  constructor(server: Server, limits: ConnectionLimits) {
    this.#idle = new Waiting(limits.idle)
    this.#sending = new Waiting(limits.sending)
    server.on('connection', socket => {
      this.#all.add(socket)
      this.#idle.add(socket)
      socket.once('close', () => {
        this.#all.delete(socket)
        this.#idle.delete(socket)
        this.#sending.delete(socket)
      })
    })
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

  /** Closes all connections, those in use too. */
  closeAll(): void {
    for (const socket of this.#all) socket.destroy()
  }
}

/** Sockets in the order they came. */
class Waiting {
  readonly #sockets = new Set<Socket>()
  readonly #most: number

  constructor(most: number) {
    this.#most = most
  }

  add(socket: Socket): void {
    this.#sockets.add(socket)
    for (const oldest of this.#sockets) {
      if (this.#sockets.size <= this.#most) return
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
