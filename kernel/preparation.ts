import { createHash } from 'node:crypto'
import { type EnvironmentInput, environmentOf } from './environment.ts'
import type { HookRuns } from './hooks.ts'
import type { ProjectPlan, ServicePlan, ServiceRef } from './plugin.ts'

/** A service's environment and what of it is its own doing, as opposed to the caller's shell. */
export interface Prepared {
  readonly env: Readonly<Record<string, string>>
  /** Changes when the service has to be started anew. */
  readonly fingerprint: string
}

/** What a service is prepared from. */
export interface PreparationInput {
  readonly shell: Readonly<Record<string, string>>
  /** The plan, with the name and domain that the project has. */
  readonly project: ProjectPlan
  readonly service: ServicePlan
  readonly ref: ServiceRef
  readonly port: number | undefined
  /** What locald itself sets. */
  readonly own: Readonly<Record<string, string>>
  /** The value of `${services.NAME.FIELD}`. */
  lookup(service: string, field: string): string | undefined
  readonly locate: EnvironmentInput['locate']
  readonly hooks: HookRuns
}

/** What a service is started with; ENV_UNRESOLVED where a reference has no value. */
export async function prepared(input: PreparationInput): Promise<Prepared> {
  const { shell, project, service, ref, port, own, lookup, locate, hooks } = input
  const { env, layers } = await environmentOf({
    ...{ shell, plan: project, service, own, lookup },
    ...(locate === undefined ? {} : { locate }),
  })
  const final = await hooks.env({ ...env }, ref, {
    dependencies: Object.keys(service.common.dependsOn).flatMap(
      name => project.services.find(other => other.name === name) ?? [],
    ),
    isOwn: variable => (layers.get(variable) ?? 'shell') !== 'shell',
    lookup,
  })
  const ofProject = Object.fromEntries(Object.entries(final).filter(([key]) => layers.get(key) !== 'shell'))
  return { env: final, fingerprint: fingerprintOf(service, port, ofProject) }
}

/** A hash of all that makes a difference to the running process. */
export function fingerprintOf(
  plan: ServicePlan,
  port: number | undefined,
  own: Readonly<Record<string, string>>,
): string {
  const { workdir, healthCheck, stopSignal } = plan.common
  const parts = [plan.type, plan.options, workdir, healthCheck, stopSignal, port, Object.entries(own).sort()]
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}
