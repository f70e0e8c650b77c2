import { join } from 'node:path'
import { closure } from '../config/dependency-graph.ts'
import type { LoadedProject } from '../config/load.ts'
import type { ProjectPlan, ServicePlan } from '../contract/plugin.ts'
import { LocaldError } from '../errors.ts'
import { allTogether, environmentOf } from './environment/environment.ts'

/** Stand for what locald sets: each service's own is known only when the project is. */
const own = { PORT: '', LOCALD_URL: '', NODE_EXTRA_CA_CERTS: '' }
const defaults = { HOST: '' }

/** Whether anything in a service's environment has to be looked up: working it all out takes a while. */
function mayLack({ env, path, files }: ProjectPlan, { common }: ServicePlan): boolean {
  // A `.env` that is not watched is a pipe, which is not read before this.
  const isPipe = !files.includes(join(path, '.env'))
  const refers = [env, common.env].some(table => Object.values(table).some(it => it.includes('${')))
  return common.envFile.length > 0 || isPipe || refers
}

/**
 * What has no value in a shell, in the environments of the named services and of what they need (undefined: of all); undefined: nothing.
 * Nothing has to be known of the project for that.
 */
export async function unresolvedIn(
  { plan, locate, envFiles }: Pick<LoadedProject, 'plan' | 'locate' | 'envFiles'>,
  shell: Readonly<Record<string, string>>,
  names?: readonly string[],
): Promise<LocaldError | undefined> {
  const nodes = plan.services.map(({ name, common }) => ({ name, dependsOn: Object.keys(common.dependsOn) }))
  const meant = new Set(names === undefined ? nodes.map(({ name }) => name) : closure(nodes, names))
  // What a service offers to others was checked with the configuration.
  const tries = plan.services
    .filter(service => meant.has(service.name) && mayLack(plan, service))
    .map(service => environmentOf({ plan, service, shell, own, defaults, locate, envFiles, lookup: () => '' }))
  return allTogether(tries, plan.path).then(
    () => undefined,
    error => LocaldError.from(error),
  )
}

/** Throws the ENV_UNRESOLVED of `unresolvedIn`. */
export async function requireValues(...input: Parameters<typeof unresolvedIn>): Promise<void> {
  const unresolved = await unresolvedIn(...input)
  if (unresolved !== undefined) throw unresolved
}
