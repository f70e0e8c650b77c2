import type { Log } from '../../kernel/contract/plugin.ts'

/** Logs warnings about misbehaving clients, at most one a second, so that clients cannot fill the log. */
export class RateLimitedLog {
  readonly #log: Log
  #last = Number.NEGATIVE_INFINITY

  constructor(log: Log) {
    this.#log = log
  }

  warn(text: string): void {
    if (performance.now() - this.#last < 1_000) return
    this.#last = performance.now()
    this.#log.warn(text)
  }
}
