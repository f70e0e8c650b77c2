import { messageOf } from '../errors.ts'
import { withTimeout } from '../system/async.ts'

/**
 * Runs closers: last in, first out, each with a time limit, so that one that hangs cannot block the others. After each
 * timeout the next ones get half the time, down to an eighth, so that many do not add up.
 */
export class Teardown {
  readonly #closers: { readonly owner: string; readonly close: () => Promise<void> | void }[] = []
  readonly #limit: number

  /** @param limit time limit of each closer, ms */
  constructor(limit = 3000) {
    this.#limit = limit
  }

  add(owner: string, close: () => Promise<void> | void): void {
    this.#closers.push({ owner, close })
  }

  /** Runs all closers in reverse; failures and timeouts are reported with their owner and skipped. */
  async run(failed: (owner: string, reason: string) => void): Promise<void> {
    let limit = this.#limit
    for (let closer = this.#closers.pop(); closer !== undefined; closer = this.#closers.pop()) {
      const { owner, close } = closer
      try {
        await withTimeout(limit, (async () => close())(), () => {
          const late = new Error(`closing timed out after ${Math.round(limit) / 1000} s`)
          limit = Math.max(limit / 2, this.#limit / 8)
          return late
        })
      } catch (error) {
        failed(owner, messageOf(error))
      }
    }
  }
}
