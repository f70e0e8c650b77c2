import { type Server, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { LocaldError, systemCode } from '../errors.ts'

const statuses: ReadonlyMap<string | undefined, number> = new Map([
  ['ERR_HTTP_REQUEST_TIMEOUT', 408],
  ['HPE_HEADER_OVERFLOW', 431],
])

/** Answers a request that Node cannot parse, in the same form as all other errors. */
export function answerMalformed(error: Error, socket: Duplex): void {
  refuse(socket, statuses.get(systemCode(error)) ?? 400, `malformed HTTP/1.1 request: ${error.message}`)
}

/** Answers CONNECT with an error; by default Node closes the connection without a response. */
export function refuseTunnels(server: Server): void {
  server.on('connect', (_request, socket) => {
    // Node no longer handles errors of a connection that it has handed over, and the client may have disconnected.
    socket.on('error', () => socket.destroy())
    refuse(socket, 404, 'CONNECT is not supported')
  })
}

function refuse(socket: Duplex, status: number, message: string): void {
  if (!socket.writable) return void socket.destroy()
  const body = JSON.stringify({ error: new LocaldError('REQUEST_INVALID', message).toJSON() })
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json; charset=utf-8\r\n`
  const framing = `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n`
  socket.end(`${head}${framing}${body}`, () => socket.destroy())
}
