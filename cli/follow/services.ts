import type { LocaldEvent, ServiceView } from '../../kernel/events.ts'
import type { TargetBody } from '../../kernel/protocol.ts'
import { isSettled } from '../output/service-state.ts'

/** A service that exits may be replaced by another at once, as when it is renamed in locald.toml: wait for it, ms */
const graceMs = 300

/** The followed services and their states: the named ones, or all of a project, also those that are added to it. */
export class FollowedServices {
  readonly #views = new Map<string, ServiceView>()
  /** The projects that are followed whole, by their folders. */
  readonly #projects: ReadonlySet<string>
  readonly #added: () => void
  #over: NodeJS.Timeout | undefined
  /** Operations during which all may be stopped for a moment. */
  #holds = 0
  #end: () => void = () => {}
  /** Resolves when all of them have stopped. */
  readonly allStopped = new Promise<void>(resolve => {
    this.#end = resolve
  })

  /** @param added called when there is one more */
  constructor(services: readonly ServiceView[], { services: named }: TargetBody, added: () => void) {
    for (const view of services) this.#views.set(view.key, view)
    this.#projects = new Set(named === undefined ? services.map(view => view.path) : [])
    this.#added = added
  }

  get keys(): readonly string[] {
    return [...this.#views.keys()]
  }

  get views(): readonly ServiceView[] {
    return [...this.#views.values()]
  }

  /** Applies an event; returns whether it is about a followed service. */
  apply(event: LocaldEvent): boolean {
    if (event.event === 'service') return this.#applyView(event.service)
    if (event.event === 'notice' || (event.event === 'warning' && event.key === undefined)) {
      return event.path === undefined || this.#projects.has(event.path) || this.views.some(it => it.path === event.path)
    }
    if (!('key' in event) || event.key === undefined || !this.#views.has(event.key)) return false
    if (event.event === 'removed') {
      this.#views.delete(event.key)
      this.#checkStopped()
    }
    return true
  }

  /** Keeps them followed though all may be stopped, until the result is called. */
  hold(): () => void {
    this.#holds += 1
    return () => {
      this.#holds -= 1
      this.#checkStopped()
    }
  }

  close(): void {
    clearTimeout(this.#over)
  }

  #applyView(view: ServiceView): boolean {
    const isNew = !this.#views.has(view.key)
    if (isNew && (!this.#projects.has(view.path) || view.status === 'stopped')) return false
    this.#views.set(view.key, view)
    this.#checkStopped()
    if (isNew) this.#added()
    return true
  }

  #checkStopped(): void {
    clearTimeout(this.#over)
    if (this.#holds === 0 && this.views.every(isSettled)) this.#over = setTimeout(this.#end, graceMs)
  }
}
