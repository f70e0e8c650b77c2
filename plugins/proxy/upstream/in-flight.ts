/** A request that a service is answering. */
export interface InFlightRequest {
  /** When it was sent: performance.now(). */
  readonly since: number
}

/** A caller of `drain`, and the requests it waits for. */
interface Drain {
  readonly key: string
  readonly pending: Set<InFlightRequest>
  readonly done: () => void
}

/**
 * The requests that services are answering: a restart waits for them first. Those for event streams never count, as the
 * response has no end.
 */
export class InFlight {
  readonly #open = new Map<string, Set<InFlightRequest>>()
  readonly #drains = new Set<Drain>()

  /** @param key the service's */
  begin(key: string, request: InFlightRequest): void {
    const open = this.#open.get(key)
    if (open === undefined) this.#open.set(key, new Set([request]))
    else open.add(request)
  }

  /** Removes a request that was answered or failed. */
  end(key: string, request: InFlightRequest): void {
    this.#open.get(key)?.delete(request)
    for (const drain of this.#drains) {
      if (drain.key === key && drain.pending.delete(request) && drain.pending.size === 0) drain.done()
    }
  }

  /** Adds a request that begins now, and returns the function that removes it. */
  track(key: string): () => void {
    const request: InFlightRequest = { since: performance.now() }
    this.begin(key, request)
    return () => this.end(key, request)
  }

  /**
   * Waits until a service's requests are done, at most `ms`; not for one that has taken as long already, as event
   * streams do.
   */
  drain(key: string, ms: number): Promise<void> {
    const now = performance.now()
    const pending = new Set([...(this.#open.get(key) ?? [])].filter(({ since }) => now - since < ms))
    if (pending.size === 0) return Promise.resolve()
    return new Promise(resolve => {
      const done = (): void => {
        clearTimeout(timer)
        this.#drains.delete(drain)
        resolve()
      }
      const timer = setTimeout(done, ms)
      const drain: Drain = { key, pending, done }
      this.#drains.add(drain)
    })
  }
}
