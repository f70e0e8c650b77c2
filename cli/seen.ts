import type { LogLine } from '../kernel/events.ts'

/** The last moment that lines were taken of, and how many have its time. */
interface Last {
  readonly time: string
  count: number
}

/** The head of a request has 16 KB in all (node:http's limit): UTF-16 units, each of which takes up to three bytes in a URL. */
const mostResumed = 4000

/**
 * Which lines of logs were taken, so that a stream which is asked for once more brings none twice and leaves none out. Each output of a
 * service counts by itself: a line that was begun before others of the service may end after them.
 */
export class Seen {
  readonly #begun: string
  readonly #last = new Map<string, Last>()
  /** Of each output, the last moment before the stream was asked for once more, and how many of its lines are still to come again. */
  #before: ReadonlyMap<string, Last> | undefined

  /** @param begun UTC ISO 8601 in ms; what is older belongs to no stream but the first */
  constructor(begun: string) {
    this.#begun = begun.replace(/Z$/, '000Z')
  }

  /** What of lines is new; they count as taken from now on. Pieces of unfinished lines are new and do not count. */
  take(lines: readonly LogLine[]): readonly LogLine[] {
    const fresh = lines.filter(line => line.from !== undefined || this.#isNew(line))
    for (const line of fresh) {
      if (line.from !== undefined) continue
      const last = this.#last.get(outputOf(line))
      if (last?.time === line.time) last.count += 1
      else if (last === undefined || last.time < line.time)
        this.#last.set(outputOf(line), { time: line.time, count: 1 })
    }
    return fresh
  }

  /** The stream is asked for once more: what it has to bring. */
  again(): { readonly since: string; readonly resume: readonly string[] } {
    this.#before = new Map([...this.#last].map(([output, last]) => [output, { ...last }]))
    const times = new Map<string, string>()
    for (const [output, { time }] of this.#last) {
      const service = output.slice(0, output.indexOf('\0'))
      const known = times.get(service)
      if (known === undefined || time < known) times.set(service, time)
    }
    // In a request's head: what has no place in it is read from the beginning and left out here.
    const resume: string[] = []
    let length = 0
    for (const [service, time] of [...times].reverse()) {
      const word = `${time} ${service}`
      length += '&resume='.length + word.length
      if (length > mostResumed) break
      resume.unshift(word)
    }
    return { since: this.#begun, resume }
  }

  #isNew(line: LogLine): boolean {
    if (this.#before === undefined) return true
    const last = this.#before.get(outputOf(line))
    if (last === undefined) return line.time >= this.#begun
    if (line.time !== last.time || last.count === 0) return line.time >= last.time
    last.count -= 1
    return false
  }
}

function outputOf({ service, stream }: LogLine): string {
  return `${service}\0${stream}`
}
