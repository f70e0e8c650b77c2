import { StringDecoder } from 'node:string_decoder'

type Stream = 'stdout' | 'stderr'

/** Kept of the beginning, and of the end, UTF-16 units. */
const mostKept = 120_000
/** Of a line. */
const longestLine = 8000

/** Collects the lines of a command's two streams in the order in which they come; drops the middle of too many. */
export class OutputBuffer {
  readonly #open: Record<Stream, string> = { stdout: '', stderr: '' }
  readonly #decoders = { stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8') }
  readonly #head: string[] = []
  #tail: string[] = []
  #headRoom = mostKept
  #tailSize = 0
  #dropped = 0

  push(stream: Stream, bytes: Buffer): void {
    const lines = `${this.#open[stream]}${this.#decoders[stream].write(bytes)}`.split('\n')
    this.#open[stream] = (lines.pop() ?? '').slice(-2 * longestLine)
    for (const line of lines) this.#add(line)
  }

  /** How many lines there were. */
  get count(): number {
    return this.#head.length + this.#dropped + this.#tail.length + this.#rest().length
  }

  lines(): readonly string[] {
    const dropped = this.#dropped === 0 ? [] : [`… ${this.#dropped} lines …`]
    return [...this.#head, ...dropped, ...this.#tail, ...this.#rest()]
  }

  /** Returns what has no newline yet. */
  #rest(): readonly string[] {
    return [this.#open.stdout, this.#open.stderr].filter(text => text !== '')
  }

  #add(whole: string): void {
    const line = whole.slice(0, longestLine)
    if (this.#headRoom > 0) {
      this.#headRoom -= line.length + 1
      this.#head.push(line)
      return
    }
    this.#tail.push(line)
    this.#tailSize += line.length + 1
    // Halved at once: removing lines one by one moves all the others each time.
    if (this.#tailSize <= 2 * mostKept) return
    let end = 0
    while (this.#tailSize > mostKept) this.#tailSize -= (this.#tail[end++]?.length ?? 0) + 1
    this.#dropped += end
    this.#tail = this.#tail.slice(end)
  }
}
