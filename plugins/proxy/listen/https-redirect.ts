import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { upgradeOf } from '../http1/upgrade.ts'
import type { Limits } from '../limits.ts'
import { requestInfoOf } from '../message/request-info.ts'
import { badRequest } from '../pages/errors.ts'
import { failure, type LocalResponse, render } from '../pages/responses.ts'

/** Redirects plain HTTP on the HTTPS port to HTTPS. */
export class HttpsRedirect {
  readonly #limits: Limits
  #server: Server | undefined

  constructor(limits: Limits) {
    this.#limits = limits
  }

  /** Serves a connection. */
  serve(socket: Socket): void {
    this.#server ??= this.#createServer()
    socket.allowHalfOpen = true
    this.#server.emit('connection', socket)
    socket.resume()
  }

  close(): void {
    this.#server?.close()
    this.#server?.closeAllConnections()
  }

  /** Creates the server, on the first plain request; it never listens. */
  #createServer(): Server {
    const { head, headTimeout, closing } = this.#limits
    const times = { headersTimeout: headTimeout, keepAliveTimeout: closing }
    const server = createServer({ ...times, maxHeaderSize: head, requireHostHeader: false }, handle)
    Object.assign(server, { httpAllowHalfOpen: true })
    // Starts Node's check for heads that take too long.
    server.emit('listening')
    return server
  }
}

function handle(req: IncomingMessage, res: ServerResponse): void {
  const response = responseTo(req)
  const { status, reason, headers, body } = render(response, req.headers.accept?.includes('text/html') ?? false)
  res.writeHead(status, reason, headers)
  res.end(req.method === 'HEAD' ? undefined : body)
  // Lets the client finish sending and read the response.
  req.resume()
}

function responseTo(req: IncomingMessage): LocalResponse {
  const info = requestInfoOf(req.method ?? '', req.url ?? '', req.rawHeaders)
  if (typeof info === 'string') return badRequest(info)
  const path = info.path.startsWith('/') ? info.path : '/'
  const message = 'This port accepts only TLS'
  if (upgradeOf(req) !== undefined) {
    const hint = `Use wss://${info.host}${path.replace(/\?.*/, '')}.`
    return failure(400, 'plain-http', { code: 'REQUEST_INVALID', message, hint })
  }
  // Not 308, which browsers cache: another program may use the port tomorrow. Method and body are preserved (RFC 9110
  // section 15.4.8).
  const location = `https://${info.host}${path}`
  const response = failure(307, 'redirect', { code: 'REQUEST_INVALID', message, hint: `Use https://${info.host}/.` })
  return { ...response, headers: ['Location', location] }
}
