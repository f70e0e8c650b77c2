import type { Socket } from 'node:net'
import type { RawHeaders } from '../message/headers.ts'
import type { ResponseHead } from '../message/response-head.ts'

/** A request ready for the wire. */
export interface WireRequest {
  /** Head, in latin1. */
  readonly head: string
  /** Whether a response can have no body whatever its fields say: HEAD. */
  readonly bodyless: boolean
  /** A body follows, given to `write` and `finish`. */
  readonly hasBody: boolean
  /** On a connection of its own: it must not be sent twice, and one that was used before may prove stale. */
  readonly fresh: boolean
  /** It asks for a switch of protocols. */
  readonly upgrade: boolean
}

/** Why there is no response, or not all of it. */
export type Broken =
  /** Nobody listened: nothing was sent. */
  | { readonly kind: 'refused' }
  /** A connection used before was closed when the request came: it was not read, or not all of it. */
  | { readonly kind: 'stale' }
  /** The connection ended; `begun` when the head of the response was there. */
  | { readonly kind: 'broken'; readonly detail: string; readonly begun: boolean }
  /** A response that is not of the strict grammar. */
  | { readonly kind: 'strange'; readonly detail: string; readonly begun: boolean }

/** The `detail` of a connection that ended instead of an answer. */
export const closedEarly = 'closed the connection without an answer'

/** Who asked. Its methods are called one after the other, several within one event of the connection. */
export interface Receiver {
  /** Whether chunks are wanted as they are on the wire. */
  readonly wire: boolean
  /** The request's head is on its way: its body may follow. */
  sent?(): void
  /** The connection takes more of the request's body again. */
  drained?(): void
  interim(head: ResponseHead): void
  head(head: ResponseHead): void
  /** A piece of the body, from an offset to before another; the bytes hold until `flush` returns. */
  body(bytes: Buffer, from: number, to: number): void
  end(trailers: RawHeaders): void
  /** The event is over: what was collected should be written. False: no more until `resume`. */
  flush(): boolean
  failed(broken: Broken): void
  /** The service has agreed to the switch; the connection is the receiver's now. */
  switched?(head: ResponseHead, socket: Socket, early: Buffer): void
}

/** A request under way. */
export interface Exchange {
  /** Sends a piece of the body. False: wait for `drained`. */
  write(piece: Buffer | string): boolean
  /** The body is complete; its trailers where they are not a part of it. */
  finish(trailers?: RawHeaders): void
  /** Lets more of the response come. */
  resume(): void
  /** Nobody wants the response any more. */
  abort(): void
}
