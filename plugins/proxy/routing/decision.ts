import type { RequestInfo } from '../message/request-info.ts'
import type { LocalResponse } from '../pages/responses.ts'
import type { Target } from '../upstream/exchange.ts'

/** Where a request is forwarded to. */
export interface Destination extends Target {
  /** The service's, as in the catalog. */
  readonly key: string
  /** What was stripped from the front of the path. */
  readonly prefix: string | undefined
}

/** What the router knows of a request. */
export interface RequestContext {
  readonly info: RequestInfo
  readonly scheme: 'http' | 'https'
  /** When the request arrived: performance.now(). */
  readonly since: number
  /** Returns a signal that aborts when the client disconnects; created only for requests that wait. */
  signal(): AbortSignal
}

/** Whether a request is forwarded, or answered by the proxy itself. */
export type Decision =
  | { readonly kind: 'forward'; readonly to: Destination }
  | { readonly kind: 'respond'; readonly response: LocalResponse }
