import type { LoadedProject } from './config.ts'
import { allTogether, environmentOf } from './environment.ts'
import { LocaldError } from './errors.ts'
import { closure } from './graph.ts'
import type { ProjectPlan, ServicePlan } from './plugin.ts'

/** Stand for what locald sets: each service's own is known only when the project is. */
const own = { PORT: '', LOCALD_URL: '', NODE_EXTRA_CA_CERTS: '' }
const defaults = { HOST: '' }

/** Whether anything in a service's environment has to be looked up: working it all out takes a while. */
function mayLack({ env }: ProjectPlan, { common }: ServicePlan): boolean {
  return (
    common.envFile.length > 0 || [env, common.env].some(table => Object.values(table).some(it => it.includes('${')))
  )
}

/**
 * What has no value in a shell, in the environments of the named services and of what they need (undefined: of all); undefined: nothing.
 * Nothing has to be known of the project for that.
 */
export async function unresolvedIn(
  { plan, locate }: Pick<LoadedProject, 'plan' | 'locate'>,
  shell: Readonly<Record<string, string>>,
  names?: readonly string[],
): Promise<LocaldError | undefined> {
  const nodes = plan.services.map(({ name, common }) => ({ name, dependsOn: Object.keys(common.dependsOn) }))
  const meant = new Set(names === undefined ? nodes.map(({ name }) => name) : closure(nodes, names))
  // What a service offers to others was checked with the configuration.
  const tries = plan.services
    .filter(service => meant.has(service.name) && mayLack(plan, service))
    .map(service => environmentOf({ plan, service, shell, own, defaults, locate, lookup: () => '' }))
  return allTogether(tries, plan.path).then(
    () => undefined,
    error => LocaldError.from(error),
  )
}
