import type { Check, FeatureName, FeatureState } from '../contract/plugin.ts'
import { messageOf } from '../errors.ts'
import { closest } from '../system/suggest.ts'
import { checkFeatureState } from './validate.ts'

/** A flag and the plugin that registered it last. */
export interface Feature extends FeatureState {
  readonly name: FeatureName
  readonly by: string
}

/** What a plugin registered, and the title, which it may have from another one. */
interface Registered {
  readonly state: FeatureState | (() => FeatureState)
  readonly by: string
  readonly title: string | undefined
}

/** Feature flags. The last plugin to register one refines it; its title stays unless that plugin gives another. */
export class Features {
  readonly #states = new Map<FeatureName, Registered>()

  set(name: FeatureName, state: FeatureState | (() => FeatureState), by: string): void {
    const before = this.#states.get(name)
    const given = typeof state === 'function' ? undefined : state.title
    this.#states.set(name, { state, by, title: given ?? before?.title })
  }

  /** Returns a flag; one that no plugin has registered is off, with that as its reason. */
  get(name: FeatureName): Feature {
    const registered = this.#states.get(name)
    return registered === undefined ? this.#unknown(name) : readFeature(name, registered)
  }

  has(name: FeatureName): boolean {
    return this.get(name).on
  }

  /** Returns all, in the order of their registration. */
  all(): readonly Feature[] {
    return [...this.#states].map(([name, registered]) => readFeature(name, registered))
  }

  /** Returns those that a plugin turned on. Reads no others: a flag that is a function may search for programs. */
  onBy(plugin: string): readonly Feature[] {
    const own = [...this.#states].filter(([, { by }]) => by === plugin)
    return own.map(([name, registered]) => readFeature(name, registered)).filter(({ on }) => on)
  }

  /** Returns the names of those that a plugin turned on. */
  by(plugin: string): readonly FeatureName[] {
    return this.onBy(plugin).map(({ name }) => name)
  }

  /** Takes a copy; the result restores it, when a plugin's setup fails. */
  snapshot(): () => void {
    const states = new Map(this.#states)
    return () => {
      this.#states.clear()
      for (const [name, state] of states) this.#states.set(name, state)
    }
  }

  #unknown(name: FeatureName): Feature {
    const near = closest(name, [...this.#states.keys()])
    const hint =
      near === undefined
        ? 'Run `locald plugins list` to see which plugins are active and what each provides.'
        : `Did you mean '${near}'?`
    return { name, on: false, reason: `no plugin registers the feature '${name}'`, hint, by: 'kernel' }
  }
}

/** Reads a flag now. A function that fails, or returns what is no state, turns its flag off. */
function readFeature(name: FeatureName, { state, by, title }: Registered): Feature {
  const now = typeof state === 'function' ? readState(name, state) : state
  const named = now.title ?? title
  return { ...now, name, by, ...(named === undefined ? {} : { title: named }) }
}

function readState(name: FeatureName, state: () => FeatureState): FeatureState {
  try {
    const now = state()
    checkFeatureState(name, now)
    return now
  } catch (error) {
    return { on: false, reason: `reading it failed: ${messageOf(error)}` }
  }
}

/** Returns the check of `locald doctor` that shows a flag as it was registered. */
export function checkOf({ name, title = name, on, reason, hint }: Feature): Check {
  const severity = 'optional'
  const run = async () =>
    on
      ? ({ status: 'pass', severity, summary: `${title}: available` } as const)
      : ({
          ...({ status: hint === undefined ? 'skip' : 'warn', severity } as const),
          summary: `${title}: ${reason ?? 'not available'}`,
          ...(hint === undefined ? {} : { fix: hint }),
        } as const)
  return { id: name, title, run }
}
