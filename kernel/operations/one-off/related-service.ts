import type { ServicePlan } from '../../contract/plugin.ts'
import { LocaldError } from '../../errors.ts'
import type { Project } from '../../projects/project.ts'
import type { Service } from '../../services/service.ts'

/**
 * Returns the service whose environment a command gets that only names services which it needs: the one that reaches
 * most of them, in doubt the one with the project's domain, else the first; where none does, the first of the named.
 * Undefined where all of these run in a guest, whose environment is of no use on this machine.
 */
export function findRelatedService(project: Project, needed: readonly string[]): Service | undefined {
  const onHost = (name: string) => {
    const plan = project.planOf(name)
    const driver = plan === undefined ? undefined : project.driverOf(plan)
    return driver !== undefined && !LocaldError.is(driver) && driver.reach !== 'guest'
  }
  const others = project.plan.services.filter(({ name }) => !needed.includes(name) && onHost(name))
  const ranked = others
    .map(plan => ({ plan, reached: needed.filter(name => reaches(plan, name)).length }))
    .filter(({ reached }) => reached > 0)
    .toSorted((a, b) => b.reached - a.reached || Number(isMain(project, b.plan)) - Number(isMain(project, a.plan)))
  const name = ranked[0]?.plan.name ?? needed.find(onHost)
  return name === undefined ? undefined : project.service(name)
}

/** Whether a service depends on another one, or reads its port or URL. */
function reaches({ common }: ServicePlan, name: string): boolean {
  const reference = `\${services.${name}.`
  return Object.hasOwn(common.dependsOn, name) || Object.values(common.env).some(value => value.includes(reference))
}

function isMain(project: Project, { name }: ServicePlan): boolean {
  return project.service(name)?.hosts[0] === project.ref.domain
}
