import { forwardedHeaders, headLines, type Passage } from './headers.ts'

/** What the proxy knows of a client's connection. */
export type Client = Pick<Passage, 'remote' | 'port' | 'scheme'>

/** The lines that tell a service of the client: the same for all requests of a connection to one name. */
export class Telling {
  readonly client: Client
  #host = ''
  #lines = ''

  constructor(client: Client) {
    this.client = client
  }

  /** CR LF after each; what was cut off the front of the path comes last. */
  lines(host: string, prefix: string | undefined): string {
    if (host !== this.#host) {
      const told = forwardedHeaders({ ...this.client, host, hops: 0, prefix: undefined })
      this.#host = host
      this.#lines = headLines('', ['Connection', 'keep-alive', ...told]).slice(2, -2)
    }
    return prefix === undefined ? this.#lines : `${this.#lines}X-Forwarded-Prefix: ${prefix}\r\n`
  }
}
