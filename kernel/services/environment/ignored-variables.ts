import { shortName } from '../../config/document/document.ts'
import type { EnvWarning } from '../../config/sources/env-files.ts'
import type { ProjectPlan } from '../../contract/plugin.ts'
import type { Environment } from './environment.ts'

/** Returns warnings about variables that were written for a service and are ignored, as locald sets them. */
export async function ignoredVariables(
  project: Pick<ProjectPlan, 'path'>,
  { overruled }: Pick<Environment, 'overruled'>,
): Promise<readonly EnvWarning[]> {
  return await Promise.all(
    overruled.map(async ({ name, origin }) => {
      const { file, line } = await origin()
      const where = file === null ? '' : `${shortName(file, project.path)}${line === null ? '' : `:${line}`}: `
      return { message: `${where}${name} is set by locald; this value is ignored`, hint: adviceFor(name) }
    }),
  )
}

function adviceFor(name: string): string {
  if (name === 'PORT') return 'Set `port = N` for the service to choose its port.'
  return `Remove ${name}, or rename it.`
}
