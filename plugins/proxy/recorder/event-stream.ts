import { type Frames, frameLimits } from './frames.ts'

/** The end of an event: an empty line (HTML, server-sent events). */
const end = /\r\n\r\n|\n\n|\r\r/

/** Splits the body of an event stream into its events as it passes. */
export class EventStreamReader {
  readonly #frames: Frames
  #text = ''
  #isTooLong = false

  constructor(frames: Frames) {
    this.#frames = frames
  }

  /** Reads a piece; one that is not wanted is skipped up to the next event. Returns whether an event was complete. */
  read(bytes: Buffer, from: number, to: number, isWanted: boolean): boolean {
    this.#text += bytes.toString('latin1', from, to)
    let found = false
    for (let match = end.exec(this.#text); match !== null; match = end.exec(this.#text)) {
      const event = this.#text.slice(0, match.index)
      this.#text = this.#text.slice(match.index + match[0].length)
      if (event !== '' || this.#isTooLong) this.#add(event, isWanted)
      this.#isTooLong = false
      found = true
    }
    if (this.#text.length > frameLimits.bytes) {
      this.#isTooLong = true
      // Both characters of the end of an event may be split.
      this.#text = this.#text.slice(-3)
    }
    return found
  }

  #add(event: string, isWanted: boolean): void {
    if (!isWanted) return void this.#frames.miss()
    const base = { time: Date.now(), from: 'service', type: 'event', size: event.length } as const
    if (this.#isTooLong) this.#frames.add({ ...base, data: undefined, note: 'larger than 64 KB: not kept' })
    else this.#frames.add({ ...base, data: Buffer.from(event, 'latin1'), note: null })
  }
}
