import { resolve } from 'node:path'
import type { EnvWarning } from '../../config/env-files.ts'
import type { ProjectPlan, ServicePlan } from '../../contract/plugin.ts'

/** Names a file of authorities that Node trusts besides its own. */
export const caVariable = 'NODE_EXTRA_CA_CERTS'

/** Returns the file that a written value means: Node reads a relative path from the folder that it is started in. */
export function authoritiesOf(
  { path }: Pick<ProjectPlan, 'path'>,
  { common }: Pick<ServicePlan, 'common'>,
  written: string,
): string {
  return resolve(path, common.workdir ?? '.', written)
}

export function authoritiesWarning(problem: string): EnvWarning {
  return {
    message: `${caVariable}: ${problem}; only the CA of locald is trusted in its place`,
    hint: `Fix the file, or unset ${caVariable}.`,
  }
}
