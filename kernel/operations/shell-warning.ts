import type { EnvWarning } from '../config/sources/env-files.ts'
import { shellWarning } from '../services/environment/shell-changes.ts'
import type { Service } from '../services/service.ts'
import type { StartPlan } from '../services/start-plan.ts'

/** Warns about services that keep running with variables of an earlier shell: a changed PATH restarts nothing. */
export function warnOfShell(ready: ReadonlyMap<Service, StartPlan>, restarted: readonly string[]): void {
  const running = [...ready].filter(
    ([{ ref, state, supervisor, fingerprint }, prepared]) =>
      supervisor.active && state.now.launched && fingerprint === prepared.fingerprint && !restarted.includes(ref.name),
  )
  const compared = running.flatMap(([{ ref, env }, { env: after }]) =>
    env === undefined ? [] : [{ name: ref.name, before: env, after }],
  )
  const warning = shellWarning(compared)
  if (warning !== undefined) running[0]?.[0].warn(warning.message, warning.hint)
}

/** Emits the warnings of environments. */
export function warnOfEnvironments(ready: ReadonlyMap<Service, StartPlan>): void {
  const services = [...ready].map(([{ ref }, { warnings }]) => ({ name: ref.name, warnings }))
  for (const { message, hint, first } of mergedWarnings(services))
    for (const service of ready.keys()) if (service.ref.name === first) service.warn(message, hint)
}

/** Merges warnings that several services share; `first`: the first service that has it. */
export function mergedWarnings(
  services: readonly { readonly name: string; readonly warnings: readonly EnvWarning[] }[],
): readonly (EnvWarning & { readonly first: string })[] {
  const shared = new Map<string, { readonly first: string; readonly hint: string; readonly others: string[] }>()
  for (const { name, warnings } of services) {
    for (const { message, hint } of warnings) {
      const known = shared.get(message)
      if (known === undefined) shared.set(message, { first: name, hint, others: [] })
      else known.others.push(name)
    }
  }
  return [...shared].map(([message, { first, hint, others }]) => ({
    ...{ first, hint },
    message: others.length === 0 ? message : `${message} (also ${others.join(', ')})`,
  }))
}
