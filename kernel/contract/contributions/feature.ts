/**
 * The name of a feature flag: what this machine can do. Platform plugins register `containers`, `open-browser` and the
 * like; a flag of another plugin is named `plugin:name`.
 */
export type FeatureName = string

/** On, or off with a reason and what to do about it. */
export interface FeatureState {
  readonly on: boolean
  readonly reason?: string
  readonly hint?: string
  /** What `locald doctor` calls it; the name where no plugin has given one. */
  readonly title?: string
}
