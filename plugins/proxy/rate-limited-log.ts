import type { Log } from '../../kernel/contract/plugin.ts'

/** Lines about clients that misbehave: one a second at most, so that they cannot fill the log. */
export class Complaints {
  readonly #log: Log
  #last = Number.NEGATIVE_INFINITY

  constructor(log: Log) {
    this.#log = log
  }

  say(text: string): void {
    if (performance.now() - this.#last < 1_000) return
    this.#last = performance.now()
    this.#log.warn(text)
  }
}
