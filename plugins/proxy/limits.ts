/** The proxy's numbers; times in ms, sizes in bytes. Tests give smaller ones. */
export interface Limits {
  /** How long a request waits for a service that is starting. */
  readonly hold: number
  /** A browser that waits longer than this sees the progress page instead. */
  readonly progress: number
  /** How long one poll of the progress page waits for news. */
  readonly poll: number
  /** The same for a page on which nothing changes until it reloads. */
  readonly longPoll: number
  /** How long a refused connection waits for the news that its service crashed or restarts. */
  readonly grace: number
  /** How long a service that runs, but refuses connections, may take to listen again. */
  readonly reopening: number
  /** What a service has begun may take this long before it is stopped or restarted. */
  readonly landing: number
  /** Requests held at once, for one service (a page of a thousand modules fits) and for all. */
  readonly heldPerService: number
  readonly heldTotal: number
  /** Idle upstream connections are closed after this: below the 5 s at which Node's servers close theirs. */
  readonly upstreamIdle: number
  /** Connections to one service at once. */
  readonly upstreamSockets: number
  /** Connections to one service that are being made at once. */
  readonly upstreamConnecting: number
  /** Streams of one HTTP/2 connection at once. */
  readonly h2Streams: number
  /** Bytes of a request's body that an HTTP/2 client may send before they are read. */
  readonly h2Window: number
  /** Requests of one HTTP/1.1 connection that are worked on side by side … */
  readonly sideBySide: number
  /** … and those that may wait behind them, sent ahead by their client. */
  readonly sentAhead: number
  /** A request or response head may be this large. */
  readonly head: number
  /** A client has this long to send a head. */
  readonly headTimeout: number
  /** Idle client connections are closed after this. */
  readonly clientIdle: number
  /** Clients that have ended their half of a connection are looked after so often. */
  readonly leaving: number
  /** A client's connection may have a descriptor below this. */
  readonly descriptors: number
  /** Requests in flight may finish for this long when the daemon closes. */
  readonly closing: number
  /** Lines of output on an error page. */
  readonly lines: number
}

export const defaultLimits: Limits = {
  hold: 30_000,
  progress: 300,
  poll: 1_000,
  longPoll: 25_000,
  grace: 200,
  reopening: 3_000,
  landing: 2_000,
  heldPerService: 1024,
  heldTotal: 4096,
  upstreamIdle: 4_000,
  upstreamSockets: 1024,
  upstreamConnecting: 64,
  h2Streams: 1024,
  h2Window: 256 * 1024,
  sideBySide: 16,
  sentAhead: 512,
  head: 64 * 1024,
  headTimeout: 30_000,
  clientIdle: 65_000,
  leaving: 500,
  descriptors: Number.POSITIVE_INFINITY,
  closing: 200,
  lines: 20,
}
