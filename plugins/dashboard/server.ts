import { chmodSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import type { HttpApi, Log } from '../../kernel/contract/plugin.ts'
import { LocaldError, messageOf } from '../../kernel/errors.ts'
import { inodeOf } from '../lib/files.ts'
import type { Access } from './access.ts'
import { type Answer, notFound, refusalAnswer } from './answer.ts'
import type { Door } from './door.ts'
import { commonHeaders } from './headers.ts'
import type { OpenRequests } from './open-requests.ts'

/** Bytes of a request's head: a stream that resumes many logs names its position in each. */
const headBytes = 64 * 1024
/** Time limits for a request's head and for all of it, ms. */
const limits = { headersTimeout: 10_000, requestTimeout: 60_000 } as const

/** What the server needs. */
export interface ServerParts {
  readonly access: Access
  readonly api: () => HttpApi | undefined
  readonly door: Door
  readonly requests: OpenRequests
  /** Returns the folder of the socket, which may change while the daemon runs. */
  readonly folder: () => string
  readonly log: Log
}

/**
 * The dashboard's HTTP server, on a Unix socket that only this user, and so the proxy, can connect to. It lets requests
 * of a signed-in browser through to the API.
 */
export class DashboardServer {
  readonly #parts: ServerParts
  readonly #server = createServer({ ...limits, maxHeaderSize: headBytes })
  readonly #fromBrowser = new WeakSet<IncomingMessage>()
  #bound: { readonly path: string; readonly inode: number | undefined } | undefined

  constructor(parts: ServerParts) {
    this.#parts = parts
    this.#server.on('request', (request, response) => this.#serve(request, response))
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head))
    this.#server.on('error', error => {
      this.#bound = undefined
      parts.log.warn(`the dashboard cannot listen: ${error.message}`)
    })
  }

  /**
   * Returns the path it listens on. Listens again where the socket was deleted, or its folder has changed: the runtime
   * folder may vanish at any time.
   */
  socket(): string | undefined {
    const path = join(this.#parts.folder(), 'dashboard.sock')
    const bound = this.#bound
    if (bound?.path !== path || bound.inode === undefined || inodeOf(path) !== bound.inode) this.#listen(path)
    return this.#bound?.path
  }

  /** Returns whether a request of the API came through this server, not the API's own socket. */
  isFromBrowser(request: IncomingMessage): boolean {
    return this.#fromBrowser.has(request)
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  /** The path is bound when this returns; an error is an event. */
  #listen(path: string): void {
    try {
      // Closing deletes the path: before the next bind.
      if (this.#server.listening) this.#server.close()
      rmSync(path, { force: true })
      this.#server.listen({ path })
      chmodSync(path, 0o600)
      this.#bound = { path, inode: inodeOf(path) }
    } catch (error) {
      this.#bound = undefined
      this.#parts.log.warn(`the dashboard cannot listen: ${messageOf(error)}`)
    }
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    for (const [name, value] of Object.entries(commonHeaders)) response.setHeader(name, value)
    const next = this.#decide(request, false)
    if ('status' in next) {
      const length = next.status === 204 ? {} : { 'Content-Length': Buffer.byteLength(next.body) }
      response.writeHead(next.status, { ...next.headers, ...length }).end(next.body)
    } else {
      this.#parts.requests.add(request, response)
      next.handle(request, response)
    }
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy())
    const next = this.#decide(request, true)
    if ('status' in next) endWith(socket, next)
    else {
      this.#parts.requests.add(request, socket)
      next.upgrade(request, socket, head)
    }
  }

  /** Returns the answer, or the API where it has to answer. */
  #decide(request: IncomingMessage, isUpgrade: boolean): Answer | HttpApi {
    const { access, api, door } = this.#parts
    const { method = 'GET', headers } = request
    const caller = { method, headers, isUpgrade }
    const path = pathOf(request)
    const foreignHost = access.refuseHost(caller)
    if (foreignHost !== undefined) return refusalAnswer(foreignHost, headers.accept)
    const isApi = path === '/v1' || path.startsWith('/v1/')
    if (!isApi && !isUpgrade) return door.answer(request, path)
    const refusal = access.refuseOrigin(caller) ?? access.refuseStranger(caller)
    if (refusal !== undefined) return refusalAnswer(refusal)
    if (!isApi) return refusalAnswer(notFound(path))
    this.#fromBrowser.add(request)
    return api() ?? refusalAnswer({ error: starting() })
  }
}

/** Returns the path of a request, without its query. */
function pathOf({ url = '/' }: IncomingMessage): string {
  const end = url.indexOf('?')
  return end === -1 ? url : url.slice(0, end)
}

/** Answers a request to switch protocols, whose socket the server has released. */
function endWith(socket: Duplex, { status, headers, body }: Answer): void {
  const length = String(Buffer.byteLength(body))
  const fields = Object.entries({ ...commonHeaders, ...headers, 'Content-Length': length, Connection: 'close' })
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines}\r\n`)
  socket.end(body)
}

function starting(): LocaldError {
  return new LocaldError('DAEMON_BUSY', 'the API does not answer yet', { hint: 'Reload the page.' })
}
