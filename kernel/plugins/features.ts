import type { Check, FeatureName, FeatureState } from '../contract/plugin.ts'
import { closest } from '../system/suggest.ts'

/** A flag and the plugin that registered it last. */
export interface Feature extends FeatureState {
  readonly name: FeatureName
  readonly by: string
}

/** Feature flags. The last plugin to register one refines it; its title stays unless that plugin gives another. */
export class Features {
  readonly #states = new Map<FeatureName, Feature>()

  set(name: FeatureName, state: FeatureState, by: string): void {
    const title = state.title ?? this.#states.get(name)?.title
    this.#states.set(name, { ...state, name, by, ...(title === undefined ? {} : { title }) })
  }

  /** Returns a flag; one that no plugin has registered is off, with that as its reason. */
  get(name: FeatureName): Feature {
    return this.#states.get(name) ?? this.#unknown(name)
  }

  has(name: FeatureName): boolean {
    return this.get(name).on
  }

  /** Returns all, in the order of their registration. */
  all(): readonly Feature[] {
    return [...this.#states.values()]
  }

  /** Returns the names of those that a plugin turned on. */
  by(plugin: string): readonly FeatureName[] {
    return this.all()
      .filter(feature => feature.by === plugin && feature.on)
      .map(feature => feature.name)
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
