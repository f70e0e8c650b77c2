import type { Memory, PortTraffic } from '../../../kernel/contract/plugin.ts'
import type { Limits } from '../limits.ts'
import { slots } from './buffers.ts'
import { type Address, isSameAddress, keyOf } from './dial.ts'
import type { Exchange, Origin, Receiver, Sender, UpstreamRequest } from './exchange.ts'
import { H2cOrigin } from './h2c.ts'
import { Http1Origin } from './origin.ts'

/**
 * Sends all requests to services, by HTTP/1.1 and by HTTP/2 in the clear, and keeps idle connections for requests that
 * may be sent again if one proves stale.
 */
export class UpstreamPool implements Sender {
  readonly #limits: Limits
  readonly #memory: Memory
  readonly #http1 = new Map<string, Http1Origin>()
  readonly #h2c = new Map<string, H2cOrigin>()
  /** When ports were used last, of origins that were removed: performance.now(). */
  readonly #usedAt = new Map<number, number>()
  #last: Http1Origin | undefined
  #sweep: NodeJS.Timeout | undefined

  constructor(limits: Limits, memory: Memory) {
    this.#limits = limits
    this.#memory = memory
  }

  send(address: Address, request: UpstreamRequest, receiver: Receiver): Exchange {
    if (request.protocol === 'h2c') return this.#h2cAt(address).send(request, receiver)
    const last = this.#last
    const origin = last !== undefined && isSameAddress(last.address, address) ? last : this.#http1At(address)
    this.#last = origin
    return origin.send(request, receiver)
  }

  /** Returns the use of a port on this machine. */
  trafficOf(port: number): PortTraffic {
    const origins: readonly Origin[] = [...this.#http1.values(), ...this.#h2c.values()]
    const own = origins.filter(({ address }) => address.port === port && address.socket === undefined)
    const all = own.map(({ traffic }) => traffic)
    const times = [this.#usedAt.get(port), ...all.map(({ usedAt }) => usedAt)].flatMap(time => time ?? [])
    return {
      open: all.reduce((sum, { open }) => sum + open, 0),
      connections: all.reduce((sum, { connections }) => sum + connections, 0),
      usedAt: times.length === 0 ? undefined : Math.max(...times),
    }
  }

  discarded(bytes: number): void {
    this.#memory.discarded(bytes)
  }

  destroy(): void {
    clearInterval(this.#sweep)
    for (const origin of this.#http1.values()) origin.destroy()
    for (const origin of this.#h2c.values()) origin.destroy()
    this.#http1.clear()
    this.#h2c.clear()
  }

  #http1At(address: Address): Http1Origin {
    const key = keyOf(address)
    const known = this.#http1.get(key)
    if (known !== undefined) return known
    const origin = new Http1Origin(address, this.#limits, this.#startSweep)
    this.#http1.set(key, origin)
    return origin
  }

  #h2cAt(address: Address): H2cOrigin {
    const key = keyOf(address)
    const known = this.#h2c.get(key)
    if (known !== undefined) return known
    const origin = new H2cOrigin(address, this.#limits, this.#startSweep)
    this.#h2c.set(key, origin)
    return origin
  }

  /** Closes idle connections periodically, as long as there are any. */
  readonly #startSweep = (): void => {
    this.#sweep ??= setInterval(() => this.#closeIdle(), Math.max(50, this.#limits.upstreamIdle / 4)).unref()
  }

  #closeIdle(): void {
    this.#last = undefined
    const before = performance.now() - this.#limits.upstreamIdle
    const idle = this.#closeIdleOf(this.#http1, before) + this.#closeIdleOf(this.#h2c, before)
    if (idle > 0) return
    slots.clear()
    clearInterval(this.#sweep)
    this.#sweep = undefined
  }

  #closeIdleOf(origins: Map<string, Origin>, before: number): number {
    let idle = 0
    for (const [key, origin] of origins) {
      idle += origin.closeIdle(before)
      if (!origin.isUnused) continue
      origins.delete(key)
      this.#usedAt.set(origin.address.port, origin.traffic.usedAt ?? 0)
    }
    return idle
  }
}
