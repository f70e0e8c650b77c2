import type { RawHeaders } from '../message/headers.ts'
import type { ResponseHead } from '../message/response-head.ts'
import type { Destination } from '../routing/decision.ts'
import type { UpstreamRequest } from '../upstream/exchange.ts'
import type { Body } from './body.ts'
import type { Frames } from './frames.ts'

/** What a client requested: the head as text where the fast path read it, as a list elsewhere. */
export interface ClientHead {
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly host: string
  readonly scheme: 'http' | 'https'
  readonly version: string
  readonly fields: string | RawHeaders
}

/** What was sent to a service for it, as it can be sent again. */
export interface SentRequest {
  readonly to: Destination
  readonly request: UpstreamRequest
}

/** The part of a response's head that is kept. */
export type KeptHead = Pick<ResponseHead, 'status' | 'reason' | 'fields'>

/** One exchange in the ring. Its views are made when someone reads it. */
export class Entry {
  /** Its place in the ring; -1 before it has one. */
  seq = -1
  /** The number of its last change, in the order of all changes. */
  changed = 0
  readonly head: ClientHead
  /** When it began: performance.now(). */
  readonly since: number
  sent: SentRequest | undefined
  /** Key of the service that it was for, also where nothing was sent. */
  key: string | undefined
  response: KeptHead | undefined
  /** When the response's head came, and when the exchange was over: performance.now(). */
  headAt = 0
  endAt = 0
  error: string | undefined
  answeredBy: 'service' | 'locald' = 'service'
  isUpgraded = false
  replayOf: string | undefined
  /** What passed after a switch of protocols; a request's own body counts itself. */
  requestBytes = 0
  responseBytes = 0
  requestBody: Body | undefined
  responseBody: Body | undefined
  frames: Frames | undefined

  constructor(head: ClientHead, since: number) {
    this.head = head
    this.since = since
  }

  get isOver(): boolean {
    return this.endAt > 0
  }

  /** About how many bytes its heads need. */
  get weight(): number {
    const { fields, path } = this.head
    let size = 400 + path.length + (this.response?.fields.length ?? 0)
    if (typeof fields === 'string') size += 2 * fields.length
    else for (const text of fields) size += 2 * text.length + 16
    return size
  }

  /** Deletes its bodies. */
  drop(): void {
    this.requestBody?.drop()
    this.responseBody?.drop()
    this.frames?.drop()
  }
}
