import type { LocaldEvent, ServiceView } from '../../../../kernel/events.ts'
import type { KnownProjectView, StreamSnapshot } from '../../../../kernel/protocol.ts'

/** A value of the topic `events`; the first after each new connection is a snapshot. */
export type StateEvent = StreamSnapshot | LocaldEvent

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

/** A value of the topic `usage`: what has changed since the last one. */
interface UsageValue {
  readonly services: readonly { readonly key: string }[]
  readonly daemon: unknown
}

/** Keeps the last values of the topic `usage`; those that are dropped stay as one, as later ones have only changes. */
export class UsageMemory implements Memory {
  readonly #limit: number
  readonly #services = new Map<string, UsageValue['services'][number]>()
  #daemon: unknown
  #values: UsageValue[] = []

  constructor(limit: number) {
    this.#limit = limit
  }

  add(values: readonly unknown[]): void {
    this.#values.push(...values.filter(isUsage))
    for (const { services, daemon } of this.#values.splice(0, Math.max(0, this.#values.length - this.#limit))) {
      for (const usage of services) this.#services.set(usage.key, usage)
      this.#daemon = daemon
    }
  }

  past(): readonly unknown[] {
    const before = { services: [...this.#services.values()], daemon: this.#daemon }
    return this.#services.size === 0 ? [...this.#values] : [before, ...this.#values]
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
    return [{ event: 'snapshot', services, projects: this.#projects } satisfies StreamSnapshot]
  }

  #apply(event: StateEvent): void {
    if (event.event === 'snapshot') {
      this.#services = new Map(event.services.map(view => [view.key, view]))
      this.#projects = event.projects
    } else if (event.event === 'service') this.#services?.set(event.service.key, event.service)
    else if (event.event === 'removed') this.#services?.delete(event.key)
  }
}

function isUsage(value: unknown): value is UsageValue {
  return typeof value === 'object' && value !== null && 'services' in value && 'daemon' in value
}

/** Whether a value of the topic `events` is one. */
export function isStateEvent(value: unknown): value is StateEvent {
  return typeof value === 'object' && value !== null && 'event' in value && typeof value.event === 'string'
}
