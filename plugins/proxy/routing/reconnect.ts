import { type Address, dial, keyOf } from '../upstream/dial.ts'

/** Pause between two connection attempts: ms. */
const interval = 50
/** A connection neither accepted nor refused after this waits in a full accept queue, so the service listens: ms. */
const timeout = 1_000

/** Waits for services that run but refuse connections for a moment, as those do that reload their own code. */
export class Reconnects {
  readonly #limit: number
  readonly #probes = new Map<string, Promise<boolean>>()
  readonly #timers = new Set<NodeJS.Timeout>()

  /** @param limit how long a wait takes at most, and how long a negative result is reused: ms */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Returns whether the address accepts connections within the limit. One probe serves all callers. */
  waitForListener(address: Address): Promise<boolean> {
    const key = keyOf(address)
    const running = this.#probes.get(key)
    if (running !== undefined) return running
    const probe = this.#probe(address).then(isListening => {
      if (isListening) this.#probes.delete(key)
      else this.#schedule(() => this.#probes.delete(key), this.#limit)
      return isListening
    })
    this.#probes.set(key, probe)
    return probe
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer)
  }

  async #probe(address: Address): Promise<boolean> {
    const end = performance.now() + this.#limit
    do {
      if (!(await isRefused(address))) return true
      await new Promise<void>(resolve => this.#schedule(resolve, interval))
    } while (performance.now() < end)
    return false
  }

  #schedule(act: () => void, ms: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      act()
    }, ms).unref()
    this.#timers.add(timer)
  }
}

/** Returns whether an address refuses connections at this moment. */
export function isRefused(address: Address): Promise<boolean> {
  return new Promise(resolve => {
    const timer = setTimeout(() => resolve(false), timeout).unref()
    dial({ host: address.host, port: address.port }, { allowHalfOpen: false }, (error, socket) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(error !== null)
    })
  })
}
