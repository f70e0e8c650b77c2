import type { LogLine } from '../../../kernel/events.ts'
import { sanitizeLogText } from '../../output/log-format.ts'
import { parseSpans, type Span, textOf } from '../../screen/spans.ts'

/** A line of a log; `id` counts lines. */
export class Entry {
  readonly id: number
  readonly service: string
  readonly time: string
  readonly #keepsColour: boolean
  #text: string
  #spans: readonly Span[] | undefined
  #plain: string | undefined

  constructor(id: number, { service, time, text }: LogLine, keepsColour: boolean) {
    this.id = id
    this.service = service
    this.time = time
    this.#text = text
    this.#keepsColour = keepsColour
  }

  /** The text as the service wrote it. */
  get text(): string {
    return this.#text
  }

  set text(text: string) {
    this.#text = text
    this.#spans = undefined
    this.#plain = undefined
  }

  /** What is shown of it: without control sequences but colours. */
  get spans(): readonly Span[] {
    const shown = this.#text.length > longest ? `${this.#text.slice(0, longest)}…` : this.#text
    this.#spans ??= parseSpans(sanitizeLogText(shown, this.#keepsColour))
    return this.#spans
  }

  /** The shown text without colours. */
  get plain(): string {
    this.#plain ??= textOf(this.spans)
    return this.#plain
  }
}

/** More of a line is not shown, UTF-16 units. */
const longest = 20_000
/** The most lines that are kept, and their length, UTF-16 units. */
const mostLines = 10_000
const mostLength = 8_000_000
/** So many are dropped at a time. */
const step = 1000

/** The last lines of the followed log. A line that is read in pieces is one line. */
export class LogBuffer {
  readonly #keepsColour: boolean
  #entries: Entry[] = []
  #length = 0
  #next = 0
  /** Unfinished lines, by service and stream. */
  readonly #open = new Map<string, Entry>()

  /** @param keepsColour whether services' own colours are shown */
  constructor(keepsColour: boolean) {
    this.#keepsColour = keepsColour
  }

  /** The id of the oldest line that is kept. */
  get first(): number {
    return this.#next - this.#entries.length
  }

  /** The id of the next line. */
  get next(): number {
    return this.#next
  }

  get(id: number): Entry | undefined {
    return this.#entries[id - this.first]
  }

  /** Whether this line is kept. */
  has({ time, service, text }: LogLine): boolean {
    return this.#entries.some(entry => entry.time === time && entry.service === service && entry.text === text)
  }

  clear(): void {
    this.#entries = []
    this.#length = 0
    this.#next = 0
    this.#open.clear()
  }

  /** Adds lines; returns the entries that are new or have changed. */
  add(lines: readonly LogLine[]): readonly Entry[] {
    const changed = lines.map(line => this.#addLine(line))
    while (this.#entries.length > step && (this.#entries.length > mostLines + step || this.#length > mostLength)) {
      for (const { text } of this.#entries.splice(0, step)) this.#length -= text.length
    }
    return changed
  }

  #addLine(line: LogLine): Entry {
    const output = `${line.service}\0${line.stream}`
    const open = this.#open.get(output)
    const entry = open?.time === line.time ? open : this.#push(line)
    this.#length += line.text.length
    if (entry === open) entry.text = entry.text.slice(0, line.from ?? 0) + line.text
    if (line.from === undefined) this.#open.delete(output)
    else this.#open.set(output, entry)
    return entry
  }

  #push(line: LogLine): Entry {
    const entry = new Entry(this.#next++, line, this.#keepsColour)
    this.#entries.push(entry)
    return entry
  }
}
