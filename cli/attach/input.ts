/** Whether typed text goes anywhere: `waits`: once connected; `stopped`: no process runs; `none`: it has no terminal. */
type InputState = 'waits' | 'open' | 'stopped' | 'none'

/** What is done with what was typed. */
export interface InputEvents {
  type(bytes: Uint8Array): void
  /** Some text was typed for the service. */
  typed(): void
  /** Shows why text was discarded. */
  explain(text: string): void
}

const leaveKey = 0x1d
const ctrlC = 0x03
/** Typed text for a terminal that is not connected: bytes. */
const waitingLimit = 64 * 1024

/** What is typed: Ctrl-] leaves, all else is the service's. */
export class Input {
  readonly #name: string
  readonly #events: InputEvents
  #state: InputState = 'waits'
  #waiting: Buffer[] = []
  #leave: () => void = () => {}
  /** Resolves when Ctrl-] was pressed. */
  readonly left = new Promise<undefined>(resolve => {
    this.#leave = () => resolve(undefined)
  })

  constructor(name: string, events: InputEvents) {
    this.#name = name
    this.#events = events
  }

  set(state: InputState): void {
    this.#state = state
    if (state === 'waits') return
    const waiting = Buffer.concat(this.#waiting)
    this.#waiting = []
    if (state === 'open' && waiting.length > 0) this.#events.type(waiting)
  }

  read(bytes: Buffer): void {
    const end = bytes.indexOf(leaveKey)
    const typed = end < 0 ? bytes : bytes.subarray(0, end)
    if (typed.length > 0) this.#take(typed)
    if (end >= 0) this.#leave()
  }

  #take(typed: Buffer): void {
    if (this.#state === 'open') {
      this.#events.typed()
      this.#events.type(typed)
    } else if (this.#state === 'waits') {
      if (this.#waiting.reduce((sum, { length }) => sum + length, typed.length) <= waitingLimit)
        this.#waiting.push(typed)
    } else if (this.#state === 'none' && typed.includes(ctrlC)) this.#leave()
    else
      this.#events.explain(
        this.#state === 'none' ? `${this.#name} has no terminal: nothing can be typed` : `${this.#name} is not running`,
      )
  }
}
