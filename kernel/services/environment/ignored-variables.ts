import { shortName } from '../../config/layers.ts'
import type { ProjectPlan } from '../../contract/plugin.ts'
import type { Environment } from './environment.ts'

/** What a person should know of an environment: reported by each `up`, and by `config check`. */
export interface EnvWarning {
  readonly message: string
  readonly hint: string
}

/** Reports the variables that were written for a service and do not reach it, as locald sets them. */
export async function ignoredVariables(
  project: Pick<ProjectPlan, 'path'>,
  { overruled }: Pick<Environment, 'overruled'>,
): Promise<readonly EnvWarning[]> {
  return await Promise.all(
    overruled.map(async ({ name, origin }) => {
      const { file, line } = await origin()
      const where = file === null ? '' : `${shortName(file, project.path)}${line === null ? '' : `:${line}`}: `
      return { message: `${where}${name} is set by locald: what is written there is ignored`, hint: adviceFor(name) }
    }),
  )
}

function adviceFor(name: string): string {
  if (name === 'PORT') return 'For a port of your choice, write `port = N` for the service.'
  return `Take ${name} out, or give it another name.`
}
