import type { Prepared } from './preparation.ts'
import type { Service } from './service.ts'
import { shellWarning } from './shell-changes.ts'

/** Reports what runs on with variables of an earlier shell: a changed PATH restarts nothing. */
export function warnOfShell(ready: ReadonlyMap<Service, Prepared>, restarted: readonly string[]): void {
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

/** Reports what is odd about environments: once what several services share. */
export function warnOfEnvironments(ready: ReadonlyMap<Service, Prepared>): void {
  const shared = new Map<string, { readonly first: Service; readonly hint: string; readonly others: string[] }>()
  for (const [service, { warnings = [] }] of ready) {
    for (const { message, hint } of warnings) {
      const known = shared.get(message)
      if (known === undefined) shared.set(message, { first: service, hint, others: [] })
      else known.others.push(service.ref.name)
    }
  }
  for (const [message, { first, hint, others }] of shared)
    first.warn(others.length === 0 ? message : `${message} (so it is for ${others.join(', ')})`, hint)
}
