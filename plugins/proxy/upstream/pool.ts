import type { Limits } from '../limits.ts'
import { slots } from './buffers.ts'
import { Link } from './connection.ts'
import { type Address, dial, isSameAddress, keyOf, neverConnected } from './dial.ts'
import type { Broken, Exchange, Receiver, WireRequest } from './exchange.ts'
import { H2cServices } from './h2c.ts'

// One read after the other: all connections read into the same bytes, and what is kept of them is copied.
const shared = Buffer.allocUnsafeSlow(64 * 1024)

/** Connections to services, kept while idle for requests that may be sent again should one prove stale. */
export class Upstreams {
  /** The services that speak HTTP/2. */
  readonly h2c: H2cServices
  readonly #limits: Limits
  readonly #origins = new Map<string, Origin>()
  readonly #sweeper: () => void
  #last: Origin | undefined
  #sweep: NodeJS.Timeout | undefined

  constructor(limits: Limits) {
    this.h2c = new H2cServices(limits)
    this.#limits = limits
    this.#sweeper = () => this.#close()
  }

  send(address: Address, request: WireRequest, receiver: Receiver): Exchange {
    const last = this.#last
    const origin = last !== undefined && isSameAddress(last.address, address) ? last : this.#at(address)
    this.#last = origin
    return origin.send(request, receiver)
  }

  #at(address: Address): Origin {
    const key = keyOf(address)
    const known = this.#origins.get(key)
    if (known !== undefined) return known
    const origin = new Origin(address, this.#limits, () => this.#arm())
    this.#origins.set(key, origin)
    return origin
  }

  destroy(): void {
    this.h2c.destroy()
    clearInterval(this.#sweep)
    for (const origin of this.#origins.values()) origin.destroy()
    this.#origins.clear()
  }

  /** Looks after idle connections while there are any. */
  #arm(): void {
    this.#sweep ??= setInterval(this.#sweeper, Math.max(50, this.#limits.upstreamIdle / 4)).unref()
  }

  #close(): void {
    const before = performance.now() - this.#limits.upstreamIdle
    let idle = 0
    this.#last = undefined
    for (const [key, origin] of this.#origins) {
      idle += origin.closeIdle(before)
      if (origin.unused) this.#origins.delete(key)
    }
    if (idle > 0) return
    slots.clear()
    clearInterval(this.#sweep)
    this.#sweep = undefined
  }
}

/** One address: its connections, and the requests that wait for one. */
class Origin {
  readonly address: Address
  readonly #limits: Limits
  readonly #parked: () => void
  /** The one used last is last. */
  readonly #idle: Link[] = []
  readonly #links = new Set<Link>()
  readonly #queue: Waiting[] = []
  #connecting = 0

  constructor(address: Address, limits: Limits, parked: () => void) {
    this.address = address
    this.#limits = limits
    this.#parked = parked
  }

  get unused(): boolean {
    return this.#links.size === 0 && this.#connecting === 0 && this.#queue.length === 0
  }

  send(request: WireRequest, receiver: Receiver): Exchange {
    if (request.upgrade) return this.#own(request, receiver)
    if (!request.fresh) {
      for (let link = this.#idle.pop(); link !== undefined; link = this.#idle.pop()) {
        if (!link.usable) continue
        link.start(request, receiver)
        return link
      }
    }
    const waiting: Waiting = new Waiting(request, receiver, () => {
      const at = this.#queue.indexOf(waiting)
      if (at !== -1) this.#queue.splice(at, 1)
    })
    this.#queue.push(waiting)
    this.#dial()
    return waiting
  }

  /** A connection that may become something else: whoever takes it over reads it as a stream. */
  #own(request: WireRequest, receiver: Receiver): Exchange {
    let left = false
    const waiting = new Waiting(request, receiver, () => {
      left = true
    })
    dial(this.address, { allowHalfOpen: false }, (error, socket) => {
      if (left) socket.destroy()
      else if (error !== null) receiver.failed(brokenBy(error))
      else {
        const link = new Link(socket, this, this.#limits.head, true)
        this.#links.add(link)
        waiting.begin(link)
      }
    })
    return waiting
  }

  closeIdle(before: number): number {
    for (let link = this.#idle[0]; link !== undefined && link.idleSince < before; link = this.#idle[0]) {
      this.#idle.shift()
      link.socket.destroy()
    }
    return this.#idle.length
  }

  destroy(): void {
    for (const link of this.#links) link.socket.destroy()
  }

  /** A server's queue of connections that it has not taken yet is short: a burst of requests becomes connections little by little. */
  #dial(): void {
    const { upstreamSockets, upstreamConnecting } = this.#limits
    // What waits cannot use an idle one, or it would have: one makes room.
    if (this.#links.size + this.#connecting >= upstreamSockets && this.#queue.length > 0)
      this.#idle[0]?.socket.destroy()
    while (
      this.#connecting < Math.min(this.#queue.length, upstreamConnecting) &&
      this.#links.size + this.#connecting < upstreamSockets
    ) {
      this.#connecting++
      // A connection's bytes go to its link, which exists once there is a connection.
      let link: Link | undefined
      const callback = (size: number): boolean => {
        link?.read(shared, size)
        return true
      }
      const flows = this.address.tls !== undefined
      const onread = flows ? {} : { onread: { buffer: shared, callback } }
      dial(this.address, { allowHalfOpen: false, ...onread }, (error, socket) => {
        this.#connecting--
        if (error !== null) this.#refused(error)
        else {
          link = new Link(socket, this, this.#limits.head, flows)
          this.#links.add(link)
          this.#use(link)
        }
        this.#dial()
      })
    }
  }

  idle(link: Link): void {
    this.#use(link)
  }

  gone(link: Link): void {
    this.#links.delete(link)
    const at = this.#idle.indexOf(link)
    if (at !== -1) this.#idle.splice(at, 1)
    if (this.#queue.length > 0) this.#dial()
  }

  /** The connection goes to the first that waits, or is kept. */
  #use(link: Link): void {
    const at = this.#queue.findIndex(waiting => !link.used || !waiting.request.fresh)
    const waiting = at === -1 ? undefined : this.#queue.splice(at, 1)[0]
    if (waiting !== undefined) waiting.begin(link)
    else {
      link.idleSince = performance.now()
      this.#idle.push(link)
      this.#parked()
    }
  }

  /** Each failed connection is one request's bad news; all others in the queue get their own try. */
  #refused(error: Error): void {
    this.#queue.shift()?.receiver.failed(brokenBy(error))
  }
}

function brokenBy(error: Error): Broken {
  if (neverConnected(error)) return { kind: 'refused' }
  return { kind: 'broken', detail: `could not be reached: ${error.message}`, begun: false }
}

/** An exchange whose connection does not exist yet. */
class Waiting implements Exchange {
  readonly request: WireRequest
  readonly receiver: Receiver
  readonly #leave: () => void
  #link: Link | undefined

  constructor(request: WireRequest, receiver: Receiver, leave: () => void) {
    this.request = request
    this.receiver = receiver
    this.#leave = leave
  }

  begin(link: Link): void {
    this.#link = link
    link.start(this.request, this.receiver)
  }

  write(piece: Buffer | string): boolean {
    return this.#link?.write(piece) ?? false
  }

  finish(): void {
    this.#link?.finish()
  }

  resume(): void {
    this.#link?.resume()
  }

  abort(): void {
    this.#leave()
    this.#link?.abort()
  }
}
