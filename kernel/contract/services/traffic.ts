/** What a plugin that forwards to services knows of a port's use. */
export interface PortTraffic {
  /** Requests, streams and tunnels in progress. */
  readonly open: number
  /** All of its connections to the port, also those that wait for the next request. */
  readonly connections: number
  /** When the last request was over: performance.now(); undefined: none was seen. */
  readonly usedAt: number | undefined
}

/** A request for a service, as it came to a plugin that forwards to services. */
export interface ClientRequest {
  /** Key of the service. */
  readonly service: string
  /** The host name by which the client reached it, lower case. */
  readonly host: string
  /** Where the client's end of the connection is. */
  readonly address: string
  readonly port: number
  /** Whether its connection has not asked for the service before, as far as was watched. */
  readonly isFirst: boolean
  /**
   * Returns the host and port of the page that made the request, by its Origin or Referer: `web.shop.localhost:8443`.
   * Undefined where no page did, or where a browser navigates, as by a link.
   */
  findPage(): string | undefined
}

/** The use of services' ports on loopback, as far as a plugin forwards to them. */
export interface Traffic {
  of(port: number): PortTraffic
  /** Adds a listener for each request, called before it is answered; it must be fast. The result removes it. */
  watch(listener: (request: ClientRequest) => void): () => void
}
