import type { LocaldEvent, ServiceView } from '../../kernel/events.ts'
import { sanitizeLogText } from '../output/log-format.ts'
import { type Namer, stateOf } from '../output/service-state.ts'
import type { Paint } from '../output/terminal.ts'

type Warning = Extract<LocaldEvent, { event: 'warning' }>

/**
 * What locald does while logs are followed, as lines between those of the services: `locald | api exited with code 1;
 * …`.
 */
export class Notices {
  readonly #paint: Paint
  readonly #nameOf: Namer
  readonly #views = new Map<string, ServiceView>()
  readonly #steps = new Map<string, string>()

  /** @param views the services whose state was printed already */
  constructor(paint: Paint, nameOf: Namer, views: readonly ServiceView[]) {
    this.#paint = paint
    this.#nameOf = nameOf
    for (const view of views) this.#views.set(view.key, view)
  }

  /** Returns lines about an event; none where it is no news. */
  format(event: LocaldEvent): readonly string[] {
    const text = this.#describe(event)
    return text === undefined ? [] : this.lines(text)
  }

  /** Returns a text as such lines. */
  lines(text: string): readonly string[] {
    return text.split('\n').map(line => this.#paint('gray', `locald | ${sanitizeLogText(line, false)}`))
  }

  #describe(event: LocaldEvent): string | undefined {
    if (event.event === 'warning') return this.#warning(event)
    if (event.event === 'notice') return event.message
    if (event.event === 'step') return this.#step(event.key, event.text)
    if (event.event === 'service') return this.#service(event.service)
    if (event.event !== 'removed') return undefined
    const isKnown = this.#views.delete(event.key)
    return isKnown ? `${this.#nameOf(event.key)} was removed` : undefined
  }

  #warning({ key, message, hint }: Warning): string {
    const name = key === undefined ? '' : this.#nameOf(key)
    const whose = name === '' || message.includes(name) ? '' : `${name}: `
    return `warning: ${whose}${message}${hint === undefined ? '' : ` (${hint})`}`
  }

  /** Formats a step without its percentages, which suit only a line that is redrawn. */
  #step(key: string, text: string): string | undefined {
    if (this.#steps.get(key) === text) return undefined
    this.#steps.set(key, text)
    return `${this.#nameOf(key)}: ${text}`
  }

  #service(view: ServiceView): string | undefined {
    const before = this.#views.get(view.key)
    this.#views.set(view.key, view)
    const isElsewhere = isStartedElsewhere(view, before)
    const text = isElsewhere ? 'was started' : sentenceOf(view)
    // A service that is about to restart still has the pid of the process that exited.
    const isOld = !isElsewhere && stateOf(view) === 'starting' && view.pid === before?.pid
    const isNews = text !== undefined && !isOld && (before === undefined || text !== sentenceOf(before))
    return isNews ? `${this.#nameOf(view.key)} ${text}` : undefined
  }
}

/** Whether a service has just been started that has no process of this machine. */
function isStartedElsewhere(view: ServiceView, before: ServiceView | undefined): boolean {
  const { pid, startedAt } = view
  const isStart = before !== undefined && startedAt !== null && startedAt !== before.startedAt
  return isStart && pid === null && stateOf(view) === 'starting'
}

/** Returns what a service does, to follow its name. */
function sentenceOf(view: ServiceView): string | undefined {
  const { reason } = view
  const because = reason === null ? '' : `: ${reason}`
  switch (stateOf(view)) {
    case 'waiting':
      return reason === null ? undefined : `is ${reason}`
    case 'starting':
      return view.pid === null ? undefined : `was started (pid ${view.pid})`
    case 'ready':
      return 'is ready'
    case 'unhealthy':
      return `is unhealthy${because}`
    case 'restarting':
      return reason?.includes('; restarting in ') === true ? reason : `is restarting${because}`
    case 'exited':
      return reason ?? 'exited'
    case 'failed':
      return `failed${because}`
    case 'stopped':
      return `was stopped${because}`
    default:
      return undefined
  }
}
