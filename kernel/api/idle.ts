import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/** Connections that ask for nothing, kept to a number: beyond it the one idle for longest is closed, so that others are served. */
export class IdleConnections {
  readonly #idle = new Set<Socket>()
  readonly #all = new Set<Socket>()
  readonly #most: number

  constructor(server: Server, most: number) {
    this.#most = most
    server.on('connection', socket => {
      this.#all.add(socket)
      this.#rest(socket)
      socket.once('close', () => {
        this.#all.delete(socket)
        this.#idle.delete(socket)
      })
    })
    server.on('request', ({ socket }, response) => {
      this.#idle.delete(socket)
      response.once('close', () => {
        if (!socket.destroyed) this.#rest(socket)
      })
    })
  }

  /** Closes all connections, those in use too. */
  closeAll(): void {
    for (const socket of this.#all) socket.destroy()
  }

  #rest(socket: Socket): void {
    this.#idle.add(socket)
    for (const oldest of this.#idle) {
      if (this.#idle.size <= this.#most) return
      this.#idle.delete(oldest)
      oldest.destroy()
    }
  }
}
