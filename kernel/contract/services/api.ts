import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

/**
 * The daemon's API, as on its Unix socket, for a plugin that serves it elsewhere. That plugin checks who the caller is:
 * the API does not.
 */
export interface HttpApi {
  /** Answers a request. Its URL begins with `/v1/`. */
  handle(request: IncomingMessage, response: ServerResponse): void
  /** Answers a request to upgrade to a WebSocket; closes the connection where no route does. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
}
