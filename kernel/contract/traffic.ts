/** What a plugin that forwards to services knows of a port's use. */
export interface PortTraffic {
  /** Requests, streams and tunnels in progress. */
  readonly open: number
  /** All of its connections to the port, also those that wait for the next request. */
  readonly connections: number
  /** When the last request was over: performance.now(); undefined: none was seen. */
  readonly usedAt: number | undefined
}

/** The use of services' ports on loopback, as far as a plugin forwards to them. */
export interface Traffic {
  of(port: number): PortTraffic
}
