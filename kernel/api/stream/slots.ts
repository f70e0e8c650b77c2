import type { Memory } from '../../contract/plugin.ts'
import { LocaldError } from '../../errors.ts'

/** Concurrent streams: each may hold a file open, and the bytes that its client has not read yet. */
const streamLimit = 512

/** Limits the streams that are open at once. */
export class StreamSlots {
  readonly #memory: Memory
  #open = 0

  constructor(memory: Memory) {
    this.#memory = memory
  }

  /** Reserves a slot; the result releases it. Throws DAEMON_BUSY without a free one. */
  reserve(): () => void {
    if (this.#open >= streamLimit) {
      throw new LocaldError('DAEMON_BUSY', `too many streaming clients (limit ${streamLimit})`, {
        hint: 'Stop some of them: `locald logs -f`, `locald up`, `locald wait`, or other clients of the API.',
      })
    }
    this.#open += 1
    return () => {
      this.#open -= 1
      if (this.#open === 0) this.#memory.rest('garbage')
    }
  }
}
