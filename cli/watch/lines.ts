import type { StatusView } from '../../kernel/protocol.ts'
import { formatTime } from '../output/log-format.ts'
import { sanitizeLine, toSafeJson } from '../output/sanitize.ts'
import { isAsExpected, stateOf, styleOf } from '../output/service-state.ts'
import { painter, print } from '../output/terminal.ts'
import type { StatusFeed } from './status-feed.ts'

/** How changes are printed. */
export interface LineOptions {
  /** Names are written with their project; otherwise only where there are several projects. */
  readonly fullNames: boolean
  /** As the events of `up --json`. */
  readonly json: boolean
}

/** Prints a line for each service, and for each change of one. */
export class ChangeLines {
  readonly #feed: Pick<StatusFeed, 'views' | 'isLoaded' | 'problem'>
  readonly #options: LineOptions
  /** What was printed of each service. */
  readonly #printed = new Map<string, string>()

  constructor(feed: Pick<StatusFeed, 'views' | 'isLoaded' | 'problem'>, options: LineOptions) {
    this.#feed = feed
    this.#options = options
  }

  /** Prints what has changed. */
  print(): void {
    if (!this.#feed.isLoaded) return
    const { views } = this.#feed
    const lines: string[] = []
    const isFull = this.#options.fullNames || new Set(views.map(({ project }) => project)).size > 1
    for (const view of views) {
      const text = this.#compared(view, isFull)
      if (this.#printed.get(view.key) === text) continue
      this.#printed.set(view.key, text)
      lines.push(this.#options.json ? toSafeJson({ event: 'service', service: view }) : timed(text))
    }
    const keys = new Set(views.map(({ key }) => key))
    for (const key of this.#printed.keys()) {
      if (keys.has(key)) continue
      this.#printed.delete(key)
      lines.push(this.#options.json ? toSafeJson({ event: 'removed', key }) : timed(`${sanitizeLine(key)} removed`))
    }
    if (lines.length > 0) print(lines.join('\n'))
  }

  /** Returns the line of a service, or all that is printed of it but its usage: another one is a change. */
  #compared(view: StatusView, isFull: boolean): string {
    if (this.#options.json) return toSafeJson({ ...view, cpu: null, memory: null })
    const state = stateOf(view)
    const detail = isAsExpected(view) ? state === 'ready' && view.url : view.reason
    const name = sanitizeLine(isFull ? view.key : view.name)
    const word = painter(process.stdout)(styleOf(state), state)
    return `${name} ${word}${detail ? ` ${sanitizeLine(detail)}` : ''}`
  }
}

function timed(text: string): string {
  return `${formatTime(new Date().toISOString())} ${text}`
}
