import type { ServerResponse } from 'node:http'
import type { Limits } from '../limits.ts'
import { eventStream } from '../message/request-head.ts'
import type { Attempt } from '../routing/dispatch.ts'
import type { ResponseState } from './half-close.ts'

/** A request that waits for earlier ones. */
interface QueuedRequest {
  readonly isSafe: boolean
  readonly begin: () => void
}

/** The requests of one HTTP/1.1 connection, and which of them run now. */
export class Pipeline implements ResponseState {
  /** Unfinished responses, in the order of their requests. */
  readonly open = new Set<ServerResponse>()
  /** Whether the connection is closed after the last. */
  ending = false
  /** What the fast path tried for the first request. */
  attempt: Attempt | undefined
  readonly #limits: Limits
  #active = 0
  /** Whether the request that runs may change something. */
  #isExclusive = false
  #queue: QueuedRequest[] = []
  #after: { readonly except: ServerResponse | undefined; readonly work: () => void } | undefined

  constructor(limits: Limits, attempt: Attempt | undefined) {
    this.#limits = limits
    this.attempt = attempt
  }

  /** The request that came last, if it is not answered yet. */
  get last(): ServerResponse | undefined {
    return [...this.open].at(-1)
  }

  /**
   * Runs a request, now or after earlier ones: concurrently only if all are safe (RFC 9112 section 9.3.2), and up to a
   * limit, so that a client that sends requests endlessly and reads no response cannot fill the memory. Returns false
   * if too many wait already.
   */
  enqueue(res: ServerResponse, isSafe: boolean, work: () => void): boolean {
    const begin = (): void => {
      this.#active++
      this.#isExclusive = !isSafe
      res.once('close', () => {
        this.#active--
        this.#next()
      })
      work()
    }
    if (this.#queue.length === 0 && this.#mayRun(isSafe)) begin()
    else if (this.#queue.length < this.#limits.pipelined) this.#queue.push({ isSafe, begin })
    else return false
    return true
  }

  /** Calls `work` when all responses are finished except one. */
  afterOthers(except: ServerResponse | undefined, work: () => void): void {
    this.#after = { except, work }
    this.#checkAfter()
  }

  /** Removes a closed response. */
  closed(res: ServerResponse): void {
    this.open.delete(res)
    this.#checkAfter()
  }

  /**
   * Abandons all requests: the client has disconnected. Node closes only the response it is sending, not those behind
   * it.
   */
  abandonAll(): void {
    this.#queue = []
    this.#after = undefined
    for (const res of this.open) if (res.socket === null) abandon(res)
  }

  hasBegun(): boolean {
    return [...this.open].some(res => res.headersSent)
  }

  canSendInterim(): boolean {
    const [first] = this.open
    return first !== undefined && first.socket !== null && !first.headersSent && first.req.httpVersion === '1.1'
  }

  /** Whether a response is an event stream, for which no client with a closed half waits. */
  get hasEventStream(): boolean {
    return [...this.open].some(({ req }) => req.headers.accept?.includes(eventStream))
  }

  #mayRun(isSafe: boolean): boolean {
    return this.#active === 0 || (isSafe && !this.#isExclusive && this.#active < this.#limits.concurrent)
  }

  #next(): void {
    for (let [first] = this.#queue; first !== undefined && this.#mayRun(first.isSafe); [first] = this.#queue) {
      this.#queue.shift()
      first.begin()
    }
  }

  #checkAfter(): void {
    const after = this.#after
    if (after === undefined || [...this.open].some(res => res !== after.except)) return
    this.#after = undefined
    after.work()
  }
}

/** Destroys a response that has no socket, and with it the work for it. */
export function abandon(res: ServerResponse): void {
  res.destroy()
  res.emit('close')
}
