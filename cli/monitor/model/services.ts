import type { LocaldEvent, ServiceView } from '../../../kernel/events.ts'
import type { ServiceUsage } from '../../../kernel/protocol.ts'
import { isListed, isSettled, stateOf } from '../../output/service-state.ts'

/** A line of the list that can be selected: a project, or a service. */
export type Row =
  | { readonly kind: 'project'; readonly id: string; readonly name: string; readonly services: readonly ServiceView[] }
  | { readonly kind: 'service'; readonly id: string; readonly view: ServiceView }

/** The services that the daemon has, by project, and what is known of their starts. */
export class Services {
  /** Names of the projects to show; none: all. */
  readonly #only: ReadonlySet<string>
  readonly #views = new Map<string, ServiceView>()
  /** What the daemon last said; it says what changes. */
  readonly #usage = new Map<string, ServiceUsage>()
  readonly #steps = new Map<string, string>()

  constructor(only: readonly string[]) {
    this.#only = new Set(only)
  }

  get views(): readonly ServiceView[] {
    return [...this.#views.values()]
  }

  get(key: string): ServiceView | undefined {
    return this.#views.get(key)
  }

  /** Replaces all by what the daemon has now; returns whether anything changed. */
  replace(views: readonly ServiceView[]): boolean {
    const shown = views.filter(view => this.#isShown(view))
    const before = JSON.stringify(this.views)
    this.#views.clear()
    this.#usage.clear()
    for (const view of shown) this.#views.set(view.key, view)
    for (const key of this.#steps.keys()) if (!this.#views.has(key)) this.#steps.delete(key)
    return JSON.stringify(this.views) !== before
  }

  /** Applies what has changed of the usage of services; returns whether anything that is shown did. */
  applyUsage(changed: readonly ServiceUsage[]): boolean {
    let hasChanged = false
    for (const usage of changed) {
      this.#usage.set(usage.key, usage)
      const known = this.#views.get(usage.key)
      if (known !== undefined && this.#applyView(known)) hasChanged = true
    }
    return hasChanged
  }

  /** Applies an event; returns whether anything changed. */
  apply(event: LocaldEvent): boolean {
    if (event.event === 'service') return this.#applyView(event.service)
    if (event.event === 'removed') return this.#remove(event.key)
    if (event.event !== 'step' || !this.#views.has(event.key)) return false
    const { progress } = event
    const percent =
      progress === undefined || progress.total <= 0 ? '' : ` ${Math.floor((100 * progress.done) / progress.total)} %`
    const text = event.text + percent
    if (this.#steps.get(event.key) === text) return false
    this.#steps.set(event.key, text)
    return true
  }

  /** Returns why a service is in its state, or what it does; undefined where the state says enough. */
  reasonOf(view: ServiceView): string | undefined {
    const state = stateOf(view)
    if (state === 'starting') return this.#steps.get(view.key) ?? view.reason ?? undefined
    const isDone = state === 'exited' && view.reason === 'exited with code 0'
    const isPlainlyStopped = state === 'stopped' && view.asleep !== true
    return state === 'ready' || isPlainlyStopped || isDone ? undefined : (view.reason ?? undefined)
  }

  /**
   * Returns the lines of the list: the services of each project in the order of its file, below the project where there
   * are several. Worktrees are named after their project, and so stand together.
   */
  rows(): readonly Row[] {
    const projects = new Map<string, ServiceView[]>()
    for (const view of this.views.filter(view => isListed(view)))
      projects.set(view.path, [...(projects.get(view.path) ?? []), view])
    const sorted = [...projects].sort(([, [a]], [, [b]]) => compareNames(a?.project ?? '', b?.project ?? ''))
    return sorted.flatMap(([path, services]) => {
      const rows = services.map((view): Row => ({ kind: 'service', id: view.key, view }))
      const name = services[0]?.project ?? path
      return sorted.length === 1 ? rows : [{ kind: 'project', id: path, name, services } satisfies Row, ...rows]
    })
  }

  #applyView(view: ServiceView): boolean {
    if (!this.#isShown(view)) return false
    const known = this.#views.get(view.key)
    // Events have no usage.
    const usage = isSettled(view) ? undefined : this.#usage.get(view.key)
    const merged = { ...view, cpu: usage?.cpu ?? null, memory: usage?.memory ?? null }
    if (stateOf(view) !== 'starting') this.#steps.delete(view.key)
    this.#views.set(view.key, merged)
    return JSON.stringify(known) !== JSON.stringify(merged)
  }

  #remove(key: string): boolean {
    this.#usage.delete(key)
    return this.#views.delete(key)
  }

  #isShown({ project }: ServiceView): boolean {
    return this.#only.size === 0 || this.#only.has(project)
  }
}

function compareNames(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
