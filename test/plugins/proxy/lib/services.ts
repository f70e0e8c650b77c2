import { once } from 'node:events'
import http, { type RequestListener } from 'node:http'
import net, { type AddressInfo, type Socket } from 'node:net'
import type { Test } from 'tap'
import type { CatalogEntry } from '../../../../kernel/contract/plugin.ts'

/** Serves HTTP on a free port of 127.0.0.1 for the duration of the test. */
export async function serve(
  t: Test,
  listener: RequestListener,
  host = '127.0.0.1',
): Promise<http.Server & { port: number }> {
  return listening(t, http.createServer(listener), host)
}

/** Serves bytes on a free port of 127.0.0.1 for the duration of the test. */
export async function raw(t: Test, listener: (socket: Socket) => void): Promise<net.Server & { port: number }> {
  return listening(
    t,
    net.createServer({ allowHalfOpen: true }, socket => {
      socket.on('error', () => undefined)
      listener(socket)
    }),
  )
}

/** Listens on a free port for the duration of the test. */
export async function listening<S extends net.Server>(
  t: Test,
  server: S,
  host = '127.0.0.1',
): Promise<S & { port: number }> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.listen(0, host)
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return Object.assign(server, { port: addressOf(server).port })
}

export function addressOf(server: net.Server): AddressInfo {
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('not listening')
  return address
}

/** The catalog entry of a service that runs at a port. */
export function at(port: number, host = '127.0.0.1'): Partial<CatalogEntry> {
  return { port, upstream: { host, port }, status: 'running' }
}

/** Serves fixed bytes to each request, without a parser. */
export async function scripted(t: Test, answer: string): Promise<{ readonly port: number; readonly seen: string[] }> {
  const seen: string[] = []
  const server = await raw(t, socket => {
    let text = ''
    socket.setEncoding('latin1')
    socket.on('data', (data: string) => {
      text += data
      if (!text.includes('\r\n\r\n')) return
      seen.push(text)
      text = ''
      socket.end(Buffer.from(answer, 'latin1'))
    })
  })
  return { port: server.port, seen }
}
