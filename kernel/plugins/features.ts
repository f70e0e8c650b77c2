import type { FeatureName, FeatureState } from '../contract/plugin.ts'
import { featureNames } from '../contract/plugin.ts'

/** A flag with who said so. */
export interface Feature extends FeatureState {
  readonly name: FeatureName
  readonly by: string
}

/** Feature flags: the last to register one refines it. A flag nobody registered is off. */
export class Features {
  readonly #states = new Map<FeatureName, Feature>()

  set(name: FeatureName, state: FeatureState, by: string): void {
    this.#states.set(name, { ...state, name, by })
  }

  get(name: FeatureName): Feature {
    return this.#states.get(name) ?? { name, on: false, reason: 'no platform plugin offers it', by: 'kernel' }
  }

  has(name: FeatureName): boolean {
    return this.get(name).on
  }

  /** All, in the contract's order. */
  all(): readonly Feature[] {
    return featureNames.map(name => this.get(name))
  }

  /** Names that a plugin turned on. */
  by(plugin: string): readonly FeatureName[] {
    return this.all()
      .filter(feature => feature.by === plugin && feature.on)
      .map(feature => feature.name)
  }

  /** A copy to return to when a plugin's set-up fails. */
  snapshot(): () => void {
    const states = new Map(this.#states)
    return () => {
      this.#states.clear()
      for (const [name, state] of states) this.#states.set(name, state)
    }
  }
}
