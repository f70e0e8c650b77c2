import { type IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { FastifyReply } from 'fastify'
import plugin from 'fastify-plugin'
import type { WebSocket, WebSocketServer } from 'ws'
import { LocaldError } from '../errors.ts'

declare module 'fastify' {
  interface FastifyReply {
    /**
     * Makes the connection a WebSocket. An error before that gets an ordinary response. Throws REQUEST_INVALID for a
     * request that does not ask for one.
     */
    webSocket(open: (socket: WebSocket) => void): Promise<FastifyReply>
  }
}

/** Bytes of a frame; a client splits what is longer. */
const frameLimit = 64 * 1024

interface Upgrade {
  readonly socket: Socket
  readonly head: Buffer
}

/**
 * Adds `webSocket` to replies. Requests for an upgrade take the way of all others through routes and schemas. `ws` is
 * loaded for the first one, which is why this is not `@fastify/websocket`: that takes 30 ms of each start.
 */
export const webSockets = plugin(async app => {
  const upgrades = new WeakMap<IncomingMessage, Upgrade>()
  let server: Promise<WebSocketServer> | undefined
  app.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Node no longer handles errors of a connection that it has handed over.
    socket.on('error', () => socket.destroy())
    if (!(socket instanceof Socket)) return void socket.destroy()
    upgrades.set(request, { socket, head })
    const response = new ServerResponse(request)
    response.shouldKeepAlive = false
    response.assignSocket(socket)
    response.once('finish', () => socket.end())
    app.routing(request, response)
  })
  app.decorateReply('webSocket', async function (this: FastifyReply, open: (socket: WebSocket) => void) {
    const { raw } = this.request
    const upgrade = upgrades.get(raw)
    if (upgrade === undefined) throw new LocaldError('REQUEST_INVALID', 'the route needs a WebSocket')
    server ??= createServer()
    const accepting = await server
    this.hijack()
    this.raw.detachSocket(upgrade.socket)
    accepting.handleUpgrade(raw, upgrade.socket, upgrade.head, open)
    return this
  })
})

async function createServer(): Promise<WebSocketServer> {
  const { WebSocketServer } = await import('ws')
  return new WebSocketServer({ noServer: true, maxPayload: frameLimit })
}
