import type { ProjectPlan, ProjectRef, ServicePlan } from '../contract/plugin.ts'

/**
 * Returns a service's host names, the main one first. Each has `<service>.<domain>`. The project's domain belongs to
 * `web`, or else to the service named like the project, or else to the only service with a name.
 */
export function hostsOf(
  service: ServicePlan,
  plan: ProjectPlan,
  { domain }: ProjectRef,
  isWeb: (service: ServicePlan) => boolean,
): readonly string[] {
  if (!isWeb(service)) return []
  const named = plan.services.filter(isWeb).map(({ name }) => name)
  const own = `${service.name}.${domain}`
  const owner = ['web', plan.name].find(name => named.includes(name))
  if (owner === service.name) return [domain, own]
  return owner === undefined && named.length === 1 ? [own, domain] : [own]
}
