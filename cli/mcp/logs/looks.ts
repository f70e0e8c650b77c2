import type { LogLine } from '../../../kernel/events.ts'

/** How far a client has read a service's output. */
interface Look {
  /** The time of its newest line, and the texts of that time. */
  readonly time: string
  readonly texts: readonly string[]
  /** Kinds of lines that it has seen. */
  readonly templates: Set<string>
}

/** Of a service; a log with more kinds has few that are alike. */
const mostTemplates = 5000

/** Remembers what a client has seen of each service's output, so that it gets what is new first. */
export class LogLooks {
  readonly #looks = new Map<string, Look>()

  /** Returns the time since which there may be new lines of services; undefined: one of them was never looked at. */
  since(keys: readonly string[]): string | undefined {
    const times = keys.map(key => this.#looks.get(key)?.time)
    return times.includes(undefined) ? undefined : times.toSorted()[0]
  }

  /** Returns the lines that the client has not seen. */
  fresh(lines: readonly LogLine[]): readonly LogLine[] {
    return lines.filter(({ service, time, text }) => {
      const look = this.#looks.get(service)
      return look === undefined || time > look.time || (time === look.time && !look.texts.includes(text))
    })
  }

  /** Whether a kind of line of a service that was looked at is there for the first time. */
  isNewKind(service: string, template: string): boolean {
    const look = this.#looks.get(service)
    return look !== undefined && !look.templates.has(template)
  }

  /** Notes that the client has seen these lines of services, and their kinds. `begun` is the time of the look. */
  note(
    { keys, begun }: { readonly keys: readonly string[]; readonly begun: string },
    lines: readonly LogLine[],
    kinds: readonly { readonly service: string; readonly template: string }[],
  ): void {
    const silent = keys.filter(key => !this.#looks.has(key) && !lines.some(({ service }) => service === key))
    for (const key of silent) this.#looks.set(key, { time: begun, texts: [], templates: new Set() })
    for (const { service, time, text } of lines) {
      const look = this.#looks.get(service)
      if (look !== undefined && time < look.time) continue
      const texts = look?.time === time ? [...look.texts, text] : [text]
      this.#looks.set(service, { time, texts, templates: look?.templates ?? new Set() })
    }
    for (const { service, template } of kinds) {
      const templates = this.#looks.get(service)?.templates
      if (templates !== undefined && templates.size < mostTemplates) templates.add(template)
    }
  }
}
