import type { ProjectPlan, ProjectRef, ServicePlan } from '../contract/plugin.ts'

/**
 * A service's host names, the main one first. `web`, or the service named like the project, owns the project's domain, and so does
 * an only service with a name; all have `<service>.<domain>`.
 */
export function hostsOf(
  service: ServicePlan,
  plan: ProjectPlan,
  { domain }: ProjectRef,
  isWeb: (type: string) => boolean,
): readonly string[] {
  if (!isWeb(service.type)) return []
  const named = plan.services.filter(({ type }) => isWeb(type)).map(({ name }) => name)
  const own = `${service.name}.${domain}`
  const owner = ['web', plan.name].find(name => named.includes(name))
  if (owner === service.name) return [domain, own]
  return owner === undefined && named.length === 1 ? [own, domain] : [own]
}
