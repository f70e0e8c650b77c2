import type { ServerResponse } from 'node:http'
import type { Tried } from './judge.ts'
import type { Limits } from './limits.ts'

/** One connection of the node:http lane: its responses that are not finished, and whose turn it is. */
export class LaneConnection {
  readonly open = new Set<ServerResponse>()
  last: ServerResponse | undefined
  /** Whether it ends after the last. */
  ending = false
  /** What the fast lane has tried for the first request. */
  tried: Tried | undefined
  readonly #limits: Limits
  #active = 0
  #waiting: (() => void)[] = []

  constructor(limits: Limits, tried: Tried | undefined) {
    this.#limits = limits
    this.tried = tried
  }

  /**
   * Works on a request, at once or after those before it: a client that sends requests without end, and reads no answer, must not
   * fill the memory, nor keep a service from others. False: too many wait already.
   */
  inTurn(res: ServerResponse, work: () => void): boolean {
    const begin = (): void => {
      this.#active++
      res.once('close', () => {
        this.#active--
        this.#waiting.shift()?.()
      })
      work()
    }
    if (this.#active < this.#limits.sideBySide) begin()
    else if (this.#waiting.length < this.#limits.sentAhead) this.#waiting.push(begin)
    else return false
    return true
  }

  /** Its client has left. Node tells only the response it is sending; those behind it would be fetched for nobody, and for ever. */
  left(): void {
    this.#waiting = []
    for (const res of this.open) {
      if (res.socket !== null) continue
      res.destroy()
      res.emit('close')
    }
  }
}
