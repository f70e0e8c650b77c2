/** A request that is with its service. */
export interface Flight {
  /** When it was sent: performance.now(). */
  readonly since: number
}

/** Who waits for flights to land, and for which. */
interface Waiting {
  readonly key: string
  readonly young: Set<Flight>
  readonly done: () => void
}

/** What a browser's EventSource accepts (HTML, server-sent events): the answer has no end, so that it is no flight. */
export const eventStream = 'text/event-stream'

/** The requests that services are answering: a restart lets them land first. */
export class Flights {
  readonly #open = new Map<string, Set<Flight>>()
  readonly #waiting = new Set<Waiting>()

  /** @param key the service's */
  begin(key: string, flight: Flight): void {
    const open = this.#open.get(key)
    if (open === undefined) this.#open.set(key, new Set([flight]))
    else open.add(flight)
  }

  /** It was answered, or nothing came of it. */
  end(key: string, flight: Flight): void {
    this.#open.get(key)?.delete(flight)
    for (const waiting of this.#waiting) {
      if (waiting.key === key && waiting.young.delete(flight) && waiting.young.size === 0) waiting.done()
    }
  }

  /** A flight from now on; the result ends it. */
  track(key: string): () => void {
    const flight: Flight = { since: performance.now() }
    this.begin(key, flight)
    return () => this.end(key, flight)
  }

  /** Waits for those of a service to end, at most `ms`: not for one that takes as long already, as event streams do. */
  landed(key: string, ms: number): Promise<void> {
    const now = performance.now()
    const young = new Set([...(this.#open.get(key) ?? [])].filter(({ since }) => now - since < ms))
    if (young.size === 0) return Promise.resolve()
    return new Promise(resolve => {
      const done = (): void => {
        clearTimeout(timer)
        this.#waiting.delete(waiting)
        resolve()
      }
      const timer = setTimeout(done, ms)
      const waiting: Waiting = { key, young, done }
      this.#waiting.add(waiting)
    })
  }
}
