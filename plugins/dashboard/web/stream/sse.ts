/** An event of a stream of server-sent events. */
export interface SseEvent {
  readonly event: string
  readonly data: string
  /** The last id that the stream has given, also by an earlier event. */
  readonly id: string | undefined
}

/** Parses a stream of server-sent events (WHATWG HTML 9.2.6), for what the daemon sends. */
export class SseParser {
  #rest = ''
  #event = ''
  #data: string[] = []
  #id: string | undefined

  /** Returns the events that a piece of text completes. */
  add(text: string): readonly SseEvent[] {
    const lines = (this.#rest + text).split(/\r?\n/)
    this.#rest = lines.pop() ?? ''
    return lines.flatMap(line => this.#line(line) ?? [])
  }

  #line(line: string): SseEvent | undefined {
    if (line === '') return this.#dispatch()
    const colon = line.indexOf(':')
    // A comment: the daemon's ping.
    if (colon === 0) return undefined
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'event') this.#event = value
    else if (field === 'data') this.#data.push(value)
    else if (field === 'id') this.#id = value
    return undefined
  }

  #dispatch(): SseEvent | undefined {
    const event = this.#event || 'message'
    const data = this.#data
    this.#event = ''
    this.#data = []
    return data.length === 0 ? undefined : { event, data: data.join('\n'), id: this.#id }
  }
}
