/** The feature flags that every platform plugin registers. */
export const platformFeatures = [
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

/** The name of one of them. */
export type PlatformFeature = (typeof platformFeatures)[number]
