import type { LoadedProject } from '../../config/load.ts'
import type { EnvWarning } from '../../config/sources/env-files.ts'
import type { ServicePlan } from '../../contract/plugin.ts'
import type { Contributions } from '../../plugins/contributions.ts'
import { Drivers } from '../../projects/drivers.ts'
import { hostsOf } from '../../registry/hostnames.ts'
import { environmentOf } from '../../services/environment/environment.ts'
import { ignoredVariables } from '../../services/environment/ignored-variables.ts'
import { variableWarnings } from '../../services/prepare.ts'
import { workdirOf } from '../../services/service.ts'
import { mergedWarnings } from '../shell-warning.ts'

/** Stands for a value that is known only when the project is: no one writes it. */
const unknownValue = '\0'

/**
 * Returns what an `up` from a shell would warn of in a configuration that has no errors, also before the project is
 * known.
 */
export async function configWarnings(
  { plan, locate, envFiles }: LoadedProject,
  shell: Readonly<Record<string, string>>,
  { contributions }: { readonly contributions: Contributions },
): Promise<readonly EnvWarning[]> {
  const drivers = new Drivers(plan, contributions)
  const contributed = contributions.variables()
  const ofService = async (service: ServicePlan) => {
    const { port } = service.common
    const hosts = hostsOf(service, plan, plan, other => drivers.isWeb(other))
    const { own: known, fallbacks } = drivers.variablesOf(service, { port, hosts })
    const isGuest = drivers.reachOf(service) === 'guest'
    const own = {
      ...Object.fromEntries(Object.keys(known).map(name => [name, unknownValue])),
      ...(drivers.hasPort(service) && !isGuest ? { PORT: String(port ?? unknownValue) } : {}),
      ...(isGuest && known['PORT'] !== undefined ? { PORT: known['PORT'] } : {}),
    }
    const found = await environmentOf({ plan, service, shell, own, isGuest, locate, envFiles, lookup: () => '' })
    const dir = workdirOf(plan, service, drivers.reachOf(service))
    const ofPlugins = await variableWarnings(found.env, { contributed, fallbacks, dir })
    return { name: service.name, warnings: [...(await ignoredVariables(plan, found)), ...ofPlugins] }
  }
  const services = await Promise.all(plan.services.map(ofService))
  const ofServices = mergedWarnings(services).map(({ message, hint }) => ({ message, hint }))
  return [...envFiles.warnings, ...ofServices]
}
