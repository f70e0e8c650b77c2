import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { upgradeOf } from '../http1/upgrade.ts'
import type { Limits } from '../limits.ts'
import { headOf } from '../message/request-info.ts'
import { badRequest } from '../pages/errors.ts'
import { type Answer, failure, render } from '../pages/responses.ts'

/** Answers plain HTTP on the port for TLS: the same port speaks HTTPS. */
export class Redirect {
  readonly #limits: Limits
  #server: Server | undefined

  constructor(limits: Limits) {
    this.#limits = limits
  }

  /** Serves a connection from here on. */
  take(socket: Socket): void {
    this.#server ??= this.#make()
    socket.allowHalfOpen = true
    this.#server.emit('connection', socket)
    socket.resume()
  }

  close(): void {
    this.#server?.close()
    this.#server?.closeAllConnections()
  }

  /** Made when the first plain request comes; it never listens. */
  #make(): Server {
    const { head, headTimeout, closing } = this.#limits
    const times = { headersTimeout: headTimeout, keepAliveTimeout: closing }
    const server = createServer({ ...times, maxHeaderSize: head, requireHostHeader: false }, serve)
    Object.assign(server, { httpAllowHalfOpen: true })
    // Only then it looks after heads that take too long.
    server.emit('listening')
    return server
  }
}

function serve(req: IncomingMessage, res: ServerResponse): void {
  const answer = answerTo(req)
  const { status, reason, headers, body } = render(answer, req.headers.accept?.includes('text/html') ?? false)
  res.writeHead(status, reason, headers)
  res.end(req.method === 'HEAD' ? undefined : body)
  // So that the client can finish sending, and read the answer.
  req.resume()
}

function answerTo(req: IncomingMessage): Answer {
  const head = headOf(req.method ?? '', req.url ?? '', req.rawHeaders)
  if (typeof head === 'string') return badRequest(head)
  const path = head.path.startsWith('/') ? head.path : '/'
  const message = 'This port speaks TLS only'
  if (upgradeOf(req) !== undefined) {
    const hint = `Use wss://${head.host}${path.replace(/\?.*/, '')}.`
    return failure(400, 'plain-http', { code: 'REQUEST_INVALID', message, hint })
  }
  // Not 308, which browsers keep: another program may have the port tomorrow. Method and body stay (RFC 9110 section 15.4.8).
  const location = `https://${head.host}${path}`
  const answer = failure(307, 'redirect', { code: 'REQUEST_INVALID', message, hint: `Use https://${head.host}/.` })
  return { ...answer, headers: ['Location', location] }
}
