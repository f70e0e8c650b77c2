import type { LogLine } from '../../kernel/events.ts'
import { shortHash } from '../../kernel/system/paths.ts'

/** The time of the last printed line of a stream, and the texts of all lines with that time. */
interface StreamPosition {
  readonly time: string
  readonly texts: string[]
}

/** What was printed of a service: its last line was of `stream`. */
interface ServicePosition {
  stream: string
  readonly streams: Map<string, StreamPosition>
}

/** The daemon accepts heads of 64 KB; colons and spaces take three bytes in a URL: UTF-16 units. */
const mostResumed = 32_000
/** Lines may be written for this time between the end of a stream and the next request, ms. */
const slackMs = 5000

/**
 * Remembers the last printed line of each service, to resume a stream without a line twice or missing: the daemon gets
 * it with the next request. It sends the lines of a service in the order of their completion, even if the clock was set
 * meanwhile.
 */
export class LogPosition {
  #begunMs: number
  readonly #services = new Map<string, ServicePosition>()
  /** Services that did not fit into the request, and the time of their last printed line. */
  readonly #leftOut = new Map<string, string>()

  /** @param begun UTC ISO 8601; only the first stream has older lines */
  constructor(begun: string) {
    this.#begunMs = Date.parse(begun)
  }

  /** Returns the lines that are new; they count as printed from now on. Pieces of unfinished lines do not count. */
  take(lines: readonly LogLine[]): readonly LogLine[] {
    const fresh = lines.filter(({ service, time }) => time > (this.#leftOut.get(service) ?? ''))
    for (const line of fresh) if (line.from === undefined) this.#count(line)
    return fresh
  }

  /** Returns the query that resumes the stream. */
  resumeQuery(): { readonly since: string; readonly resume: readonly string[] } {
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
    const taken = this.#services.get(service) ?? { stream, streams: new Map<string, StreamPosition>() }
    // The service whose line came last is the last one.
    this.#services.delete(service)
    this.#services.set(service, taken)
    taken.stream = stream
    const last = taken.streams.get(stream)
    if (last?.time === time) last.texts.push(text)
    else taken.streams.set(stream, { time, texts: [text] })
  }
}
