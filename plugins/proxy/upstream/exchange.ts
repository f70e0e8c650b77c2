import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { PortTraffic, Protocol } from '../../../kernel/contract/plugin.ts'
import type { RawHeaders } from '../message/headers.ts'
import type { ResponseHead } from '../message/response-head.ts'
import type { Address } from './dial.ts'

/** Where a request is sent. */
export interface Target {
  readonly address: Address
  readonly protocol: Protocol
  /** Path and query to request. */
  readonly path: string
}

/** A request ready for a service: as the bytes of its head for HTTP/1.1, as fields for HTTP/2 in the clear. */
export type UpstreamRequest = Http1UpstreamRequest | H2cUpstreamRequest

/** A request for a service that speaks HTTP/1.1. */
export interface Http1UpstreamRequest {
  readonly protocol: 'http/1.1'
  /** In latin1. */
  readonly head: string
  /** Whether the response has no body, even if its fields announce one: HEAD. */
  readonly bodyless: boolean
  /** Whether a body follows, by `write` and `finish`. */
  readonly hasBody: boolean
  /** Whether it needs a new connection: it must not be sent twice, and a reused connection may prove stale. */
  readonly fresh: boolean
  /** Whether it asks for a switch of protocols. */
  readonly upgrade: boolean
}

/** A request for a service that speaks HTTP/2 in the clear. */
export interface H2cUpstreamRequest {
  readonly protocol: 'h2c'
  readonly method: string
  readonly path: string
  /** As for HTTP/1.1, `Host` among them. */
  readonly fields: RawHeaders
  readonly hasBody: boolean
  /** Whether it may be sent twice. */
  readonly repeatable: boolean
}

/** Why there is no response, or only a part of it. */
export type ExchangeFailure =
  /** The connection was refused: nothing was sent. */
  | { readonly kind: 'refused' }
  /** A reused connection was being closed when the request came: the service has not processed it. */
  | { readonly kind: 'stale' }
  /** The connection was lost; `begun` when the response's head had arrived. */
  | { readonly kind: 'broken'; readonly detail: string; readonly begun: boolean }
  /** The response violates the grammar. */
  | { readonly kind: 'invalid'; readonly detail: string; readonly begun: boolean }

/** The `detail` of a connection that was closed before a response. */
export const closedEarly = 'closed the connection without a response'

/** Receives the response. Its methods are called in order, several within one event of the connection. */
export interface Receiver {
  /** Whether chunks are passed on as they are on the wire. */
  readonly wire: boolean
  /** The request's head has been sent: its body may follow. */
  sent?(): void
  /** The connection accepts more of the request's body. */
  drained?(): void
  interim(head: ResponseHead): void
  head(head: ResponseHead): void
  /** A piece of the body between two offsets; the bytes are valid until `flush` returns. */
  body(bytes: Buffer, from: number, to: number): void
  /** @param size of a chunked body's content, bytes */
  end(trailers: RawHeaders, size?: number): void
  /** The event is over: collected bytes should be written. Returns false to receive no more until `resume`. */
  flush(): boolean
  failed(failure: ExchangeFailure): void
  /** The service has switched protocols; the receiver owns the connection from now on. */
  switched?(head: ResponseHead, socket: Socket, early: Buffer): void
}

/** A request in flight. */
export interface Exchange {
  /** Sends a piece of the body. Returns false to wait for `drained`. */
  write(piece: Buffer | string): boolean
  /** Completes the body; with its trailers where they are not a part of it (HTTP/2). */
  finish(trailers?: RawHeaders): void
  /** Resumes the response. */
  resume(): void
  /** Cancels the request. */
  abort(): void
}

/** Sends requests to services: the pool of connections, or what observes it. */
export interface Sender {
  /** Sends a request; `receiver` gets the response, or the failure. */
  send(address: Address, request: UpstreamRequest, receiver: Receiver): Exchange
  /** Reports bytes of bodies that were read into separate buffers, which are garbage soon. */
  discarded(bytes: number): void
  /** Reports that client and service are connected after a switch of protocols, and what each has sent already. */
  joined?(tunnel: Tunnel): void
}

/** A client and a service that have switched protocols. */
export interface Tunnel {
  readonly client: Duplex
  readonly service: Duplex
  readonly fromClient: Buffer
  readonly fromService: Buffer
}

/** The connections to one service. */
export interface Origin {
  readonly address: Address
  readonly traffic: PortTraffic
  /** Whether it has no connection and no request. */
  readonly isUnused: boolean
  /** Closes connections idle since before a time (performance.now()), and returns how many idle ones remain. */
  closeIdle(before: number): number
  destroy(): void
}
