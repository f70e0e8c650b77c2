/** How long a message stays, ms. */
const infoMs = 5000
const errorMs = 12_000

/** The message in the last line: what was done, or what failed. */
export interface Message {
  readonly text: string
  readonly isError: boolean
}

/** Keeps the last message for some seconds. */
export class Messages {
  readonly #changed: () => void
  #timer: NodeJS.Timeout | undefined
  current: Message | undefined

  constructor(changed: () => void) {
    this.#changed = changed
  }

  /** Shows a message; `stays`: until the next one. */
  show(text: string, { isError = false, stays = false } = {}): void {
    this.clear()
    this.current = { text, isError }
    if (!stays) this.#timer = setTimeout(() => this.clear(), isError ? errorMs : infoMs)
    this.#changed()
  }

  clear(): void {
    clearTimeout(this.#timer)
    if (this.current === undefined) return
    this.current = undefined
    this.#changed()
  }
}
