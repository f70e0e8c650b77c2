import type { Server } from 'node:net'

declare module '../../kernel/contract/plugin.ts' {
  interface Services {
    /** The proxy's: where it serves host names. */
    readonly web: Web
    /** The proxy's: serves one service elsewhere. */
    readonly fronts: Fronts
  }
}

/** Makes fronts: servers besides the proxy's own, for one service each. */
export interface Fronts {
  /** Throws DAEMON_BUSY while the proxy is starting. */
  open(spec: FrontSpec): Front
}

/** What a front serves, and for whom. */
export interface FrontSpec {
  /** Key of the service. Paths of its name that are routed to another service are not served. */
  readonly key: string
  /**
   * Returns the origin under which a client sees the service. `host`: the authority of its request, in lower case;
   * undefined: the request is refused with 421, as a page of another site may have made it (DNS rebinding).
   */
  readonly originOf: (host: string, scheme: 'http' | 'https') => FrontOrigin | undefined
  /** Whether a program on this machine forwards requests to it, whose `X-Forwarded-For` has the client's address. */
  readonly isTunnel: boolean
}

/** An origin, as a browser has it. */
export interface FrontOrigin {
  readonly scheme: 'http' | 'https'
  /** With its port, unless that is the scheme's own. */
  readonly host: string
}

/**
 * A front. Its service gets each request as one for its own name, is started by it where it sleeps, and may redirect to
 * its own name. Nothing else of locald is served.
 */
export interface Front {
  /** Creates a server for HTTP/1.1 and HTTP/2 in the clear that does not listen yet. */
  createServer(): Server
  /** Stops listening and closes all connections. */
  close(): Promise<void>
}

/** Where the proxy serves host names. */
export interface Web {
  /** Returns the URL that a browser opens for a host name such as `web.shop.localhost`, without a trailing slash. */
  url(host: string): string
  /** The real ports; null where it does not listen. */
  readonly http: number | null
  readonly https: number | null
}

/** What an exchange is: a request with its response, a WebSocket, or a stream of server-sent events. */
export type ExchangeKind = 'http' | 'websocket' | 'sse'

/** One request that the proxy received, and its response, as a row of a list. */
export interface ExchangeView {
  /** Letters and a number: unknown to every other daemon. */
  readonly id: string
  /** UTC, ISO 8601. */
  readonly time: string
  readonly method: string
  readonly host: string
  /** Path and query; values of parameters that are secret are masked. */
  readonly path: string
  /** Null until the response begins. */
  readonly status: number | null
  /** Key of the service; null where no service was asked. */
  readonly service: string | null
  /** Null until the response is complete. */
  readonly durationMs: number | null
  readonly requestBytes: number
  readonly responseBytes: number
  readonly scheme: 'http' | 'https'
  /** `1.0`, `1.1` or `2`. */
  readonly httpVersion: string
  readonly kind: ExchangeKind
  /** Whether the service sent the response, or locald made it. */
  readonly answeredBy: 'service' | 'locald'
  /** Why the response is missing or incomplete. */
  readonly error: string | null
  /** Time until the head of the response, ms. */
  readonly firstByteMs: number | null
  /** The response's Content-Type. */
  readonly type: string | null
  /** Id of the exchange that loaded the page to which this one belongs. */
  readonly page: string | null
  /** Id of the exchange that this one repeats. */
  readonly replayOf: string | null
}

/** A header of an exchange. */
export interface HeaderView {
  readonly name: string
  readonly value: string
  readonly isMasked: boolean
}

/** A body of an exchange: text or base64 where it was kept, else `note` says why not. */
export interface BodyView {
  /** As sent, bytes. */
  readonly bytes: number
  /** Content-Type. */
  readonly type: string | null
  /** Content-Encoding that was removed from `text` and `base64`. */
  readonly decodedFrom: string | null
  readonly text: string | null
  readonly base64: string | null
  /** Why there is no content, or what it lacks. */
  readonly note: string | null
}

/** A message of a WebSocket, or a server-sent event. */
export interface FrameView {
  /** UTC, ISO 8601. */
  readonly time: string
  readonly from: 'client' | 'service'
  readonly type: 'text' | 'binary' | 'ping' | 'pong' | 'close' | 'event'
  readonly bytes: number
  readonly text: string | null
  readonly base64: string | null
  readonly note: string | null
}

/** An exchange with all that was kept of it. */
export interface ExchangeDetail extends ExchangeView {
  readonly reason: string
  readonly requestHeaders: readonly HeaderView[]
  readonly responseHeaders: readonly HeaderView[]
  readonly requestBody: BodyView
  readonly responseBody: BodyView
  /** The latest ones. */
  readonly frames: readonly FrameView[]
  /** Frames that were not kept. */
  readonly framesLost: number
  /** Whether secrets are masked. */
  readonly isMasked: boolean
  /** Why it cannot be replayed; null where it can. */
  readonly cannotReplay: string | null
}

/** Answer of `GET /v1/requests`. */
export interface ExchangesAnswer {
  readonly requests: readonly ExchangeView[]
  /** What is recorded at present. */
  readonly record: 'off' | 'metadata' | 'full'
}

/** What `POST /v1/requests/:id/replay` changes. */
export interface ReplayBody {
  readonly method?: string
  readonly path?: string
  /** All headers, in place of the recorded ones. */
  readonly headers?: readonly { readonly name: string; readonly value: string }[]
  /** Headers set besides the recorded ones; an empty value removes one. */
  readonly set?: readonly { readonly name: string; readonly value: string }[]
  /** Text of the body; `base64` says otherwise. */
  readonly body?: string
  readonly base64?: boolean
}
