import { type ForwardedFor, forwardedHeaders, headLines } from './headers.ts'
import type { NarrowRequest } from './request-head.ts'

/** What the proxy knows of a client's connection. */
export type ClientAddress = Pick<ForwardedFor, 'remote' | 'port' | 'scheme'>

/** Returns the head with which a request is forwarded. @param to what the service gets as path, and the stripped prefix */
export function headForService(
  { head, host, fields }: NarrowRequest,
  to: { readonly path: string; readonly prefix: string | undefined },
  forwarded: ForwardedHeaders,
): string {
  return `${head ? 'HEAD' : 'GET'} ${to.path} HTTP/1.1\r\n${fields}${forwarded.lines(host, to.prefix)}\r\n`
}

/**
 * The lines that describe the client to a service; cached, as they are the same for all requests of a connection to one
 * name.
 */
export class ForwardedHeaders {
  readonly client: ClientAddress
  #host = ''
  #lines = ''

  constructor(client: ClientAddress) {
    this.client = client
  }

  /** Returns the lines, CR LF after each. @param prefix what was stripped from the front of the path */
  lines(host: string, prefix: string | undefined): string {
    if (host !== this.#host) {
      const fields = forwardedHeaders({ ...this.client, host, hops: 0, prefix: undefined })
      this.#host = host
      this.#lines = headLines('', ['Connection', 'keep-alive', ...fields]).slice(2, -2)
    }
    return prefix === undefined ? this.#lines : `${this.#lines}X-Forwarded-Prefix: ${prefix}\r\n`
  }
}
