/** The proxy's limits; times in ms, sizes in bytes. Tests pass smaller ones. */
export interface Limits {
  /** How long a request is held at least for a service that is starting: longer where its own limits are. */
  readonly hold: number
  /** A browser that waits longer than this gets the progress page. */
  readonly progress: number
  /** How long a poll of the progress page waits for an event. */
  readonly poll: number
  /** How long a poll waits on a page that shows nothing that changes before it reloads. */
  readonly longPoll: number
  /** How long a failed request waits for an event that its service crashed or restarts. */
  readonly grace: number
  /** How long a running service that refuses connections may take to listen again. */
  readonly reconnect: number
  /** How long a stop or restart of a service waits for its requests in flight. */
  readonly draining: number
  /** Requests held at once, for one service (a page of a thousand modules fits) and for all. */
  readonly heldPerService: number
  readonly heldTotal: number
  /** Idle upstream connections are closed after this: less than the 5 s after which Node's servers close theirs. */
  readonly upstreamIdle: number
  /** Connections to one service at once. */
  readonly upstreamSockets: number
  /** Connections to one service being opened at once. */
  readonly upstreamConnecting: number
  /** Streams of one HTTP/2 connection at once. */
  readonly h2Streams: number
  /** Bytes of a request's body that an HTTP/2 client may send before they are read. */
  readonly h2Window: number
  /** Requests of one HTTP/1.1 connection served concurrently … */
  readonly concurrent: number
  /** … and those pipelined behind them. */
  readonly pipelined: number
  /** Size of a request's or response's head. */
  readonly head: number
  /** How long a client may take to send a head. */
  readonly headTimeout: number
  /** Idle client connections are closed after this. */
  readonly clientIdle: number
  /** Interval at which clients with a closed half are checked. */
  readonly halfClosed: number
  /** A client's connection must have a descriptor below this. */
  readonly descriptors: number
  /** How long requests in flight may take when the daemon stops. */
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
  reconnect: 3_000,
  draining: 2_000,
  heldPerService: 1024,
  heldTotal: 4096,
  upstreamIdle: 4_000,
  upstreamSockets: 1024,
  upstreamConnecting: 64,
  h2Streams: 1024,
  h2Window: 256 * 1024,
  concurrent: 16,
  pipelined: 512,
  head: 64 * 1024,
  headTimeout: 30_000,
  clientIdle: 65_000,
  halfClosed: 500,
  descriptors: Number.POSITIVE_INFINITY,
  closing: 200,
  lines: 20,
}
