import type { LogLine } from '../events.ts'
import { shortHash } from '../system/hash.ts'
import { type Anchor, anchorPattern, parseAnchor } from './anchor.ts'

/** The time of the last line of a stream, and the texts of the lines with that time since `earlier`. */
interface StreamPosition {
  readonly time: string
  readonly texts: string[]
  /** Lines with that time that an earlier position counted. */
  readonly earlier?: Pick<Anchor, 'hash' | 'count'>
}

/** What a reader has of a service: its last line was of `stream`. */
interface ServicePosition {
  stream: string
  readonly streams: Map<string, StreamPosition>
  /** As `anchorPattern`; undefined: there are newer lines. */
  word?: string | undefined
}

/** The daemon accepts heads of 64 KB; colons and spaces take three bytes in a URL: UTF-16 units. */
const mostResumed = 32_000
/** Lines may be written for this time between the end of a stream and the next request, ms. */
const slackMs = 5000
const anchor = new RegExp(anchorPattern)
const waiting = /^@(\d{4}-\d\d-\d\dT[\d:.]+Z) (.+)$/

/**
 * Remembers the last line of each service that a reader has, to resume a stream without a line twice or missing. The
 * daemon sends the lines of a service in the order of their completion, even if the clock was set meanwhile.
 */
export class LogPosition {
  #begunMs: number
  readonly #services = new Map<string, ServicePosition>()
  /** Services without a line so far, and the time from which on the reader gets their lines. */
  readonly #waiting = new Map<string, string>()
  /** Whether the reader follows all services, also later ones. */
  #isOfAll = false
  /** Services that did not fit into the request, and the time of their last line. */
  readonly #leftOut = new Map<string, string>()

  /** @param begun UTC ISO 8601; only the first stream has older lines */
  constructor(begun: string) {
    this.#begunMs = Date.parse(begun)
  }

  /** Parses the result of `toString`; returns undefined for any other text. */
  static parse(text: string | undefined): LogPosition | undefined {
    const [head = '', ...words] = text?.split('\n') ?? []
    const [begun = '', all] = head.split(' ')
    if (Number.isNaN(Date.parse(begun)) || !words.every(word => anchor.test(word) || waiting.test(word)))
      return undefined
    const position = new LogPosition(begun)
    position.#isOfAll = all === '*'
    for (const word of words) {
      const [, since, name] = waiting.exec(word) ?? []
      if (since !== undefined && name !== undefined) {
        position.#waiting.set(name, since)
        continue
      }
      const { key, anchor } = parseAnchor(word)
      const { time, stream } = anchor
      position.#services.set(key, { stream, streams: new Map([[stream, { time, texts: [], earlier: anchor }]]), word })
    }
    return position
  }

  /** Returns the lines that are new; the reader has them from now on. Pieces of unfinished lines do not count. */
  take(lines: readonly LogLine[]): readonly LogLine[] {
    const fresh = lines.filter(({ service, time }) => time > (this.#leftOut.get(service) ?? ''))
    for (const line of fresh) if (line.from === undefined) this.#count(line)
    return fresh
  }

  /**
   * Notes which services the reader follows from now on. One that it did not follow before begins now; where it followed
   * all, one that is new begins with the stream.
   */
  cover(keys: readonly string[], isOfAll: boolean): void {
    const now = new Date().toISOString()
    const since = this.#isOfAll ? this.#since() : now
    for (const key of keys) if (!this.#services.has(key) && !this.#waiting.has(key)) this.#waiting.set(key, since)
    if (isOfAll && !this.#isOfAll) this.#begunMs = Date.parse(now)
    this.#isOfAll = isOfAll
    if (isOfAll) return
    for (const map of [this.#services, this.#waiting]) {
      for (const key of map.keys()) if (!keys.includes(key)) map.delete(key)
    }
  }

  /** Returns the position as a text. */
  toString(): string {
    const words = [...this.#services].map(([key, position]) => wordOf(key, position))
    const waiting = [...this.#waiting].map(([key, since]) => `@${since} ${key}`)
    return [`${this.#since()}${this.#isOfAll ? ' *' : ''}`, ...words, ...waiting].join('\n')
  }

  /** Returns where to resume: after the anchor of a service; of one without a line, from a time. */
  resume(): { readonly since: ReadonlyMap<string, string>; readonly anchors: ReadonlyMap<string, Anchor> } {
    const anchors = [...this.#services].map(
      ([key, position]) => [key, parseAnchor(wordOf(key, position)).anchor] as const,
    )
    return { since: this.#waiting, anchors: new Map(anchors) }
  }

  /** Returns the query that resumes the stream. */
  resumeQuery(): { readonly since: string; readonly resume: readonly string[] } {
    this.#leftOut.clear()
    const resume: string[] = []
    let length = 0
    for (const [key, position] of [...this.#services].reverse()) {
      const word = wordOf(key, position)
      length += '&resume='.length + word.length
      if (length > mostResumed) this.#leftOut.set(key, position.streams.get(position.stream)?.time ?? '')
      else resume.unshift(word)
    }
    return { since: this.#since(), resume }
  }

  /** Returns the time for services without a line. Where the clock was set back, new lines precede the beginning. */
  #since(): string {
    if (Date.now() < this.#begunMs) this.#begunMs = Date.now() - slackMs
    return new Date(this.#begunMs).toISOString()
  }

  #count({ service, stream, time, text }: LogLine): void {
    const taken = this.#services.get(service) ?? { stream, streams: new Map<string, StreamPosition>() }
    // The service whose line came last is the last one.
    this.#services.delete(service)
    this.#waiting.delete(service)
    this.#services.set(service, taken)
    taken.stream = stream
    taken.word = undefined
    const last = taken.streams.get(stream)
    if (last?.time === time) last.texts.push(text)
    else taken.streams.set(stream, { time, texts: [text] })
  }
}

function wordOf(key: string, position: ServicePosition): string {
  position.word ??= makeWord(key, position)
  return position.word
}

function makeWord(key: string, { stream, streams }: ServicePosition): string {
  const { time = '', texts = [], earlier } = streams.get(stream) ?? {}
  const text = texts.at(-1) ?? ''
  const hash = shortHash(text, 16)
  const before = earlier?.hash === hash ? earlier.count : 0
  return `${time} ${stream} ${hash} ${before + texts.filter(other => other === text).length} ${key}`
}
