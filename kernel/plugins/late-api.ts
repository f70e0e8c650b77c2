import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { HttpApi } from '../contract/plugin.ts'
import { LocaldError } from '../errors.ts'

/** The API for plugins, which are loaded before it is there: until then it answers that the daemon is starting. */
export class LateApi implements HttpApi {
  #api: HttpApi | undefined

  /** Sets the API. */
  set(api: HttpApi): void {
    this.#api = api
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    if (this.#api === undefined) refuse(response)
    else this.#api.handle(request, response)
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (this.#api === undefined) socket.destroy()
    else this.#api.upgrade(request, socket, head)
  }
}

function refuse(response: ServerResponse): void {
  const error = new LocaldError('DAEMON_BUSY', 'the daemon is starting', { hint: 'Try again in a second.' })
  response.writeHead(503, { 'content-type': 'application/json; charset=utf-8', 'retry-after': '1' })
  response.end(JSON.stringify({ error: error.toJSON() }))
}
