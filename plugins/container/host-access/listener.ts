import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { messageOf } from '../../../kernel/errors.ts'
import { readFirstLine } from './first-line.ts'
import { ForwarderConnection } from './forwarder-connection.ts'
import type { Refusals } from './refusals.ts'
import { dial, relay } from './relay.ts'

/** The socket's name in its folder: short, because a socket's path has 103 bytes at most. */
export const socketName = 's'
/** A forwarder sends the first line with the connection: ms. */
const firstLineMs = 5000
/** The forwarder has 1024 connections, and one more for each instance of it. */
const mostConnections = 1100
/** Says that the port was reached. */
const reached = '+'

/**
 * The daemon's end of a project's tunnel: a Unix socket in a folder that the forwarder has mounted. Connections are
 * carried to allowed ports on this machine's loopback.
 */
export class Listener {
  readonly #refusals: Refusals
  readonly #changed: () => void
  readonly #sockets = new Set<Socket>()
  readonly #forwarders = new Set<ForwarderConnection>()
  #ports: readonly number[] = []
  #server: Server | undefined
  #path: string | undefined

  /** @param changed called when a forwarder has connected, answered or been lost */
  constructor(refusals: Refusals, changed: () => void) {
    this.#refusals = refusals
    this.#changed = changed
  }

  get ports(): readonly number[] {
    return this.#ports
  }

  /** Allows these ports and no others, from the next connection on. */
  setPorts(ports: readonly number[]): void {
    if (ports.length === this.#ports.length && ports.every((port, index) => port === this.#ports[index])) return
    this.#ports = ports
    for (const forwarder of this.#forwarders) forwarder.send(ports)
  }

  /** Returns the connection of the forwarder that was started with this id. */
  forwarder(id: string): ForwarderConnection | undefined {
    return [...this.#forwarders].find(it => it.id === id && it.isOpen)
  }

  /** Whether its socket is in this folder. */
  isIn(folder: string): boolean {
    const path = join(folder, socketName)
    return path === this.#path && lstatSync(path, { throwIfNoEntry: false })?.isSocket() === true
  }

  /** Makes the folder and binds the socket in it, again when they were removed; connections stay. */
  async open(folder: string): Promise<void> {
    if (this.isIn(folder)) return
    // Closing it removes the file of its path.
    this.#server?.close()
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    chmodSync(folder, 0o700)
    const path = join(folder, socketName)
    rmSync(path, { force: true })
    const server = createServer({ allowHalfOpen: true }, socket => void this.#take(socket))
    server.maxConnections = mostConnections
    this.#server = server
    this.#path = path
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ path }, () => {
        server.off('error', reject)
        server.on('error', error => this.#refusals.add(`the tunnel's socket: ${messageOf(error)}`))
        resolve()
      })
    })
  }

  /** Closes the socket and all connections, and removes the socket's file. */
  close(): void {
    this.#server?.close()
    this.#server = undefined
    this.#path = undefined
    for (const socket of this.#sockets) socket.destroy()
  }

  async #take(socket: Socket): Promise<void> {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    // Until something else handles them.
    const destroy = (): unknown => socket.destroy()
    socket.on('error', destroy)
    const line = await readFirstLine(socket, firstLineMs)
    const [, id] = /^forwarder ([0-9a-f]{1,64})$/.exec(line ?? '') ?? []
    if (id !== undefined) this.#register(id, socket)
    else if (line !== undefined && /^[1-9]\d{0,4}$/.test(line)) await this.#carry(Number(line), socket)
    else socket.destroy()
  }

  #register(id: string, socket: Socket): void {
    const forwarder = new ForwarderConnection(id, socket, () => {
      if (!forwarder.isOpen) this.#forwarders.delete(forwarder)
      this.#changed()
    })
    this.#forwarders.add(forwarder)
    forwarder.send(this.#ports)
  }

  async #carry(port: number, socket: Socket): Promise<void> {
    if (!this.#ports.includes(port)) {
      this.#refusals.add(`port ${port} is not allowed: no service that runs in a container refers to it`)
      socket.destroy()
      return
    }
    try {
      const target = await dial(port)
      if (socket.destroyed) target.destroy()
      else {
        this.#sockets.add(target)
        target.once('close', () => this.#sockets.delete(target))
        socket.write(reached)
        relay(socket, target)
      }
    } catch (error) {
      this.#refusals.add(`port ${port} is not reachable: ${messageOf(error)}`)
      socket.destroy()
    }
  }
}
