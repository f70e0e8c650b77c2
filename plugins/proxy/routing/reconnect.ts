import { type Address, dial, keyOf } from '../upstream/dial.ts'

/** This often it is asked whether somebody listens: ms. */
const interval = 50
/** What neither takes nor refuses a connection in this time has a queue that is full, and so listens: ms. */
const patience = 1_000

/** Services that run but refuse connections for a moment, as those do that load their changed code by themselves. */
export class Reopening {
  readonly #limit: number
  readonly #asked = new Map<string, Promise<boolean>>()
  readonly #timers = new Set<NodeJS.Timeout>()

  /** @param limit so long it is waited for, and as long then not again: ms */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Whether somebody listens at the address within the limit. One asks for all who wait. */
  opens(address: Address): Promise<boolean> {
    const key = keyOf(address)
    const asked = this.#asked.get(key)
    if (asked !== undefined) return asked
    const asking = this.#ask(address).then(opened => {
      if (opened) this.#asked.delete(key)
      else this.#later(() => this.#asked.delete(key), this.#limit)
      return opened
    })
    this.#asked.set(key, asking)
    return asking
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer)
  }

  async #ask(address: Address): Promise<boolean> {
    const end = performance.now() + this.#limit
    do {
      if (!(await refuses(address))) return true
      await new Promise<void>(resolve => this.#later(resolve, interval))
    } while (performance.now() < end)
    return false
  }

  #later(act: () => void, ms: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      act()
    }, ms).unref()
    this.#timers.add(timer)
  }
}

/** Whether nobody listens at an address this moment. */
export function refuses(address: Address): Promise<boolean> {
  return new Promise(resolve => {
    const timer = setTimeout(() => resolve(false), patience).unref()
    dial({ host: address.host, port: address.port }, { allowHalfOpen: false }, (error, socket) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(error !== null)
    })
  })
}
