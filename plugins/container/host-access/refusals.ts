/** How often the same line is logged: ms. */
const repeatMs = 60_000
/** More ports at a time are not logged: the lines are made by what containers ask for. */
const mostLines = 50

/** Logs connections that were refused: each port's at most once a minute. */
export class Refusals {
  readonly #log: (text: string) => void
  readonly #logged = new Map<string, number>()

  constructor(log: (text: string) => void) {
    this.#log = log
  }

  /** Logs it, unless it was logged in the last minute. */
  add(text: string, now: number = Date.now()): void {
    for (const [line, at] of this.#logged) if (now - at >= repeatMs || now < at) this.#logged.delete(line)
    if (this.#logged.has(text) || this.#logged.size >= mostLines) return
    this.#logged.set(text, now)
    this.#log(text)
  }
}
