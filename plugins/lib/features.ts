import type { Check, CheckResult, FeatureState, Host } from '../../kernel/contract/plugin.ts'

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

/** The titles of features in `locald doctor`; the platform says what the other two are. */
export function featureTitles(
  own: Readonly<Record<'trust-store' | 'vm', string>>,
): Readonly<Record<PlatformFeature, string>> {
  return {
    containers: 'Container services',
    cgroups: 'Control groups',
    shim: 'Privileged helper',
    'privileged-ports': 'Ports 80 and 443',
    'hosts-file': 'Names in the hosts file',
    'process-groups': 'Process groups',
    'open-browser': 'Opening the browser',
    'boot-service': 'Starting with the machine',
    ...own,
  }
}

/** A feature as `locald doctor` shows it. */
export interface FeatureDisplay {
  readonly name: PlatformFeature
  readonly title: string
  /** Default: `optional`. */
  readonly severity?: CheckResult['severity']
  /** The status of a feature that is off; default: `warn`. `skip`: nothing can turn it on here. */
  readonly off?: 'warn' | 'skip'
}

/**
 * Returns the check of a feature. It probes again on each run, so that `doctor` shows what was fixed since the daemon
 * started; a feature that another plugin has turned on since `registered` passes.
 */
export function featureCheck(
  host: Pick<Host, 'has'>,
  { name, title, severity = 'optional', off = 'warn' }: FeatureDisplay,
  registered: FeatureState,
  probe: () => Promise<FeatureState>,
): Check {
  const run = async (): Promise<CheckResult> => {
    const isRefined = host.has(name) && !registered.on
    const { on, reason, hint } = isRefined ? { on: true } : await probe()
    if (on) return { status: 'pass', severity, summary: `${title}: available` }
    const summary = `${title}: ${reason ?? 'not available'}`
    return { status: off, severity, summary, ...(off === 'skip' || hint === undefined ? {} : { fix: hint }) }
  }
  return { id: name, title, run }
}
