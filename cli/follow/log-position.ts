import type { LogLine } from '../../kernel/events.ts'
import { shortHash } from '../../kernel/system/paths.ts'

/** The last moment that lines of a stream were taken of, and the texts of those that have its time. */
interface Last {
  readonly time: string
  readonly texts: string[]
}

/** What was taken of a service: its last line was of `stream`. */
interface Taken {
  stream: string
  readonly streams: Map<string, Last>
}

/** The daemon takes heads of 64 KB; colons and spaces take three bytes in a URL: UTF-16 units. */
const mostResumed = 32_000
/** Between the end of a stream and the request for the next one lines may be written: ms. */
const slackMs = 5000

/**
 * Which lines of logs were taken, so that a stream which is asked for again brings none twice and leaves none out: the daemon gets the
 * last one of each service. It gives those of a service in the order in which they ended, whatever the clock did meanwhile.
 */
export class Seen {
  #begunMs: number
  readonly #services = new Map<string, Taken>()
  /** Services that had no place in the request, and the last moment that was taken of them. */
  readonly #leftOut = new Map<string, string>()

  /** @param begun UTC ISO 8601; what is older belongs to no stream but the first */
  constructor(begun: string) {
    this.#begunMs = Date.parse(begun)
  }

  /** What of lines is new; they count as taken from now on. Pieces of unfinished lines do not count. */
  take(lines: readonly LogLine[]): readonly LogLine[] {
    const fresh = lines.filter(({ service, time }) => time > (this.#leftOut.get(service) ?? ''))
    for (const line of fresh) if (line.from === undefined) this.#count(line)
    return fresh
  }

  /** The stream is asked for again: what it has to bring. */
  again(): { readonly since: string; readonly resume: readonly string[] } {
    // Of services without a line yet. Where the clock was set back, what they print now is older than the beginning.
    if (Date.now() < this.#begunMs) this.#begunMs = Date.now() - slackMs
    this.#leftOut.clear()
    const resume: string[] = []
    let length = 0
    for (const [service, { stream, streams }] of [...this.#services].reverse()) {
      const { time = '', texts = [] } = streams.get(stream) ?? {}
      const text = texts.at(-1) ?? ''
      const count = texts.filter(other => other === text).length
      const word = `${time} ${stream} ${shortHash(text, 16)} ${count} ${service}`
      length += '&resume='.length + word.length
      if (length > mostResumed) this.#leftOut.set(service, time)
      else resume.unshift(word)
    }
    return { since: new Date(this.#begunMs).toISOString(), resume }
  }

  #count({ service, stream, time, text }: LogLine): void {
    const taken = this.#services.get(service) ?? { stream, streams: new Map<string, Last>() }
    // The service whose line came last is the last one.
    this.#services.delete(service)
    this.#services.set(service, taken)
    taken.stream = stream
    const last = taken.streams.get(stream)
    if (last?.time === time) last.texts.push(text)
    else taken.streams.set(stream, { time, texts: [text] })
  }
}
