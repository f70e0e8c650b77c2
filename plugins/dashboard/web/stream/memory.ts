import type { LocaldEvent, ServiceView } from '../../../../kernel/events.ts'
import type { KnownProjectView } from '../../../../kernel/protocol.ts'

/** The first value of the topic `events`, and the first after each new connection. */
export interface Snapshot {
  readonly event: 'snapshot'
  readonly services: readonly ServiceView[]
  readonly projects: readonly KnownProjectView[]
}

/** A value of the topic `events`. */
export type StateEvent = Snapshot | LocaldEvent

/** What the hub keeps of a topic for tabs that come later. */
export interface Memory {
  add(values: readonly unknown[]): void
  /** Returns what a new tab gets first. */
  past(): readonly unknown[]
}

/** Keeps the last values, in pieces as they came. */
export class Ring implements Memory {
  readonly #limit: number
  readonly #batches: (readonly unknown[])[] = []
  #count = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  add(values: readonly unknown[]): void {
    this.#batches.push(values)
    this.#count += values.length
    for (;;) {
      const [oldest] = this.#batches
      if (oldest === undefined || this.#count - oldest.length < this.#limit) return
      this.#batches.shift()
      this.#count -= oldest.length
    }
  }

  past(): readonly unknown[] {
    return this.#batches.flat().slice(-this.#limit)
  }
}

/** Keeps the present state that the events lead to. */
export class StateMemory implements Memory {
  #services: Map<string, ServiceView> | undefined
  #projects: readonly KnownProjectView[] = []

  add(values: readonly unknown[]): void {
    for (const value of values) if (isStateEvent(value)) this.#apply(value)
  }

  past(): readonly unknown[] {
    if (this.#services === undefined) return []
    const services = [...this.#services.values()]
    return [{ event: 'snapshot', services, projects: this.#projects } satisfies Snapshot]
  }

  #apply(event: StateEvent): void {
    if (event.event === 'snapshot') {
      this.#services = new Map(event.services.map(view => [view.key, view]))
      this.#projects = event.projects
    } else if (event.event === 'service') this.#services?.set(event.service.key, event.service)
    else if (event.event === 'removed') this.#services?.delete(event.key)
  }
}

/** Whether a value of the topic `events` is one. */
export function isStateEvent(value: unknown): value is StateEvent {
  return typeof value === 'object' && value !== null && 'event' in value && typeof value.event === 'string'
}
