import { createHash } from 'node:crypto'
import type { EnvWarning } from '../config/env-files.ts'
import type { ProjectPlan, ServicePlan, ServiceRef } from '../contract/plugin.ts'
import type { HookRuns } from '../plugins/hooks.ts'
import type { CaBundles } from './environment/ca-bundle.ts'
import { authoritiesOf, authoritiesWarning, caVariable } from './environment/ca-variable.ts'
import { type EnvironmentInput, environmentOf } from './environment/environment.ts'
import { ignoredVariables } from './environment/ignored-variables.ts'
import type { OwnVariables } from './wiring.ts'

/** A service's environment and what of it is its own doing, as opposed to the caller's shell. */
export interface Prepared {
  readonly env: Readonly<Record<string, string>>
  /** Changes when the service has to be started anew. */
  readonly fingerprint: string
  readonly warnings?: readonly EnvWarning[]
}

/** What a service is prepared from. */
export interface PreparationInput extends OwnVariables {
  readonly shell: Readonly<Record<string, string>>
  /** The plan, with the name and domain that the project has. */
  readonly project: ProjectPlan
  readonly service: ServicePlan
  readonly ref: ServiceRef
  readonly port: number | undefined
  /** The value of `${services.NAME.FIELD}`. */
  lookup(service: string, field: string): string | undefined
  readonly locate: EnvironmentInput['locate']
  readonly envFiles?: EnvironmentInput['envFiles']
  readonly hooks: HookRuns
  readonly bundles: CaBundles
}

/** What a service is started with; ENV_UNRESOLVED where a reference has no value. */
export async function prepared(input: PreparationInput): Promise<Prepared> {
  const { shell, project, service, ref, port, own, defaults, caFile, lookup, locate, envFiles, hooks } = input
  const found = await environmentOf({
    ...{ plan: project, service, own, defaults, lookup, envFiles },
    shell: caFile === undefined ? shell : { [caVariable]: caFile, ...shell },
    ...(locate === undefined ? {} : { locate }),
  })
  const { env, layers } = found
  const trusted = await trustedBy(input, env[caVariable])
  const final = await hooks.env({ ...env, ...trusted.env }, ref, {
    dependencies: Object.keys(service.common.dependsOn).flatMap(
      name => project.services.find(other => other.name === name) ?? [],
    ),
    isOwn: variable => (layers.get(variable) ?? 'shell') !== 'shell',
    lookup,
  })
  const ofProject = Object.fromEntries(Object.entries(final).filter(([name]) => layers.get(name) !== 'shell'))
  // Whatever a shell adds to it.
  if (caFile !== undefined) ofProject[caVariable] ??= caFile
  const warnings = [...(await ignoredVariables(project, found)), ...trusted.warnings]
  return { env: final, fingerprint: fingerprintOf(service, port, ofProject), warnings }
}

/** NODE_EXTRA_CA_CERTS as the service gets it: what somebody wrote, and the local CA. */
async function trustedBy({ caFile, bundles, project, service }: PreparationInput, written: string | undefined) {
  if (caFile === undefined) return { env: {}, warnings: [] }
  if (written === undefined || written === '') return { env: { [caVariable]: caFile }, warnings: [] }
  const { file, problem } = await bundles.of(caFile, authoritiesOf(project, service, written))
  return { env: { [caVariable]: file }, warnings: problem === undefined ? [] : [authoritiesWarning(problem)] }
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
