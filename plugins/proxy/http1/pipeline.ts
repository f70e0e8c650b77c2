import type { ServerResponse } from 'node:http'
import type { Limits } from '../limits.ts'
import type { Tried } from '../routing/dispatch.ts'
import { eventStream } from '../upstream/in-flight.ts'
import type { Answering } from './half-close.ts'

/** A request that waits for those before it. */
interface Turn {
  readonly isSafe: boolean
  readonly begin: () => void
}

/** One connection of the node:http lane: its responses that are not finished, and whose turn it is. */
export class LaneConnection implements Answering {
  /** In the order of their requests. */
  readonly open = new Set<ServerResponse>()
  /** Whether it ends after the last. */
  ending = false
  /** What the fast lane has tried for the first request. */
  tried: Tried | undefined
  readonly #limits: Limits
  #active = 0
  /** Whether what is worked on may change something. */
  #alone = false
  #waiting: Turn[] = []
  #after: { readonly but: ServerResponse | undefined; readonly work: () => void } | undefined

  constructor(limits: Limits, tried: Tried | undefined) {
    this.#limits = limits
    this.tried = tried
  }

  /** The request that came last, if it is not answered yet. */
  get last(): ServerResponse | undefined {
    return [...this.open].at(-1)
  }

  /**
   * Works on a request, at once or after those before it: side by side only where all are safe (RFC 9112 section 9.3.2), and not too
   * many. A client that sends requests without end, and reads no answer, must not fill the memory. False: too many wait already.
   */
  inTurn(res: ServerResponse, isSafe: boolean, work: () => void): boolean {
    const begin = (): void => {
      this.#active++
      this.#alone = !isSafe
      res.once('close', () => {
        this.#active--
        this.#next()
      })
      work()
    }
    if (this.#waiting.length === 0 && this.#mayBegin(isSafe)) begin()
    else if (this.#waiting.length < this.#limits.sentAhead) this.#waiting.push({ isSafe, begin })
    else return false
    return true
  }

  /** Does something when all responses are finished but one. */
  afterOthers(but: ServerResponse | undefined, work: () => void): void {
    this.#after = { but, work }
    this.#look()
  }

  /** A response has closed. */
  closed(res: ServerResponse): void {
    this.open.delete(res)
    this.#look()
  }

  /** Its client has left. Node tells only the response it is sending; those behind it would be fetched for nobody, and for ever. */
  left(): void {
    this.#waiting = []
    this.#after = undefined
    for (const res of this.open) if (res.socket === null) giveUp(res)
  }

  begun(): boolean {
    return [...this.open].some(res => res.headersSent)
  }

  takesInterim(): boolean {
    const [first] = this.open
    return first !== undefined && first.socket !== null && !first.headersSent && first.req.httpVersion === '1.1'
  }

  /** Whether an answer has no end: a client of such does not wait for it with its half ended. */
  get isEndless(): boolean {
    return [...this.open].some(({ req }) => req.headers.accept?.includes(eventStream))
  }

  #mayBegin(isSafe: boolean): boolean {
    return this.#active === 0 || (isSafe && !this.#alone && this.#active < this.#limits.sideBySide)
  }

  #next(): void {
    for (let [first] = this.#waiting; first !== undefined && this.#mayBegin(first.isSafe); [first] = this.#waiting) {
      this.#waiting.shift()
      first.begin()
    }
  }

  #look(): void {
    const after = this.#after
    if (after === undefined || [...this.open].some(res => res !== after.but)) return
    this.#after = undefined
    after.work()
  }
}

/** Ends a response that has no socket, or none any more, and with it what is done for it. */
export function giveUp(res: ServerResponse): void {
  res.destroy()
  res.emit('close')
}
