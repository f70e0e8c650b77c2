/** Feature flags: what this machine can do. Platform plugins register each; others may refine one. */
export const featureNames = [
  'containers',
  'cgroups',
  'shim',
  'privileged-ports',
  'hosts-file',
  'trust-store',
  'process-groups',
  'open-browser',
  'boot-service',
  'vm',
] as const
export type FeatureName = (typeof featureNames)[number]

/** On, or off with a reason and what to do about it. */
export interface FeatureState {
  readonly on: boolean
  readonly reason?: string
  readonly hint?: string
}
