import type { EnvWarning } from '../config/env-files.ts'
import type { LoadedProject } from '../config/load.ts'
import type { ServicePlan } from '../contract/plugin.ts'
import type { Container } from '../plugins/container.ts'
import type { Contributions } from '../plugins/contributions.ts'
import { Drivers } from '../projects/service-types.ts'
import { hostsOf } from '../registry/hostnames.ts'
import { bundleProblem } from '../services/environment/ca-bundle.ts'
import { authoritiesOf, authoritiesWarning, caVariable } from '../services/environment/ca-variable.ts'
import { environmentOf } from '../services/environment/environment.ts'
import { ignoredVariables } from '../services/environment/ignored-variables.ts'
import { mergedWarnings } from './shell-warning.ts'

/** Stands for a value that is known only when the project is: no one writes it. */
const unknownValue = '\0'

/** Returns what an `up` from a shell would warn of in a configuration that has no errors; nothing of the project has to be known. */
export async function configWarnings(
  { plan, locate, envFiles }: LoadedProject,
  shell: Readonly<Record<string, string>>,
  { contributions, container }: { readonly contributions: Contributions; readonly container: Container },
): Promise<readonly EnvWarning[]> {
  const drivers = new Drivers(plan, contributions)
  const isSecure = container.optional('web')?.caFile !== undefined
  const ofService = async (service: ServicePlan) => {
    const own = {
      ...(drivers.hasPort(service) ? { PORT: String(service.common.port ?? unknownValue) } : {}),
      ...(hostsOf(service, plan, plan, type => drivers.isWeb(type)).length > 0 ? { LOCALD_URL: unknownValue } : {}),
    }
    const found = await environmentOf({ plan, service, shell, own, locate, envFiles, lookup: () => '' })
    const written = isSecure ? found.env[caVariable] : undefined
    const problem = written && (await bundleProblem(authoritiesOf(plan, service, written)))
    const ofFile = problem ? [authoritiesWarning(problem)] : []
    return { name: service.name, warnings: [...(await ignoredVariables(plan, found)), ...ofFile] }
  }
  const services = await Promise.all(plan.services.map(ofService))
  const ofServices = mergedWarnings(services).map(({ message, hint }) => ({ message, hint }))
  return [...envFiles.warnings, ...ofServices]
}
