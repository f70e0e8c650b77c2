import { resolve } from 'node:path'
import { EnvFiles } from '../../config/sources/env-files.ts'
import { Trust } from '../../config/trust/trust.ts'
import { LocaldError } from '../../errors.ts'
import { place, problem } from './errors.ts'
import { type EnvFile, type EnvironmentInput, nowhere } from './input.ts'

/** Reads the files with variables, weakest first. Throws CONFIG_UNREADABLE, or CONFIG_INVALID where one does not exist. */
export async function readFiles({ plan, service, locate, envFiles }: EnvironmentInput): Promise<readonly EnvFile[]> {
  const files = envFiles ?? new EnvFiles({ trust: new Trust(), root: plan.path })
  const implicit = resolve(plan.path, '.env')
  const first = async (): Promise<EnvFile[]> => {
    const entries = await files.read(implicit, true)
    return entries === undefined ? [] : [{ layer: '.env', file: implicit, entries }]
  }
  const listed = async (written: string, index: number): Promise<EnvFile[]> => {
    const file = resolve(plan.path, written)
    const entries = await files.read(file, false)
    if (entries !== undefined) return [{ layer: 'env_file', file, entries }]
    const path = ['services', service.name, 'env_file']
    const { file: where, line } = locate === undefined ? nowhere : await locate([...path, index])
    const fault = `file '${written}' does not exist`
    const message = `service '${service.name}': ${place(where, line, plan.path)}${path.join('.')}: ${fault}`
    throw new LocaldError('CONFIG_INVALID', message, {
      service: service.name,
      problems: [problem(fault, where, line, path)],
    })
  }
  const added = (plan.envFiles ?? []).map(async (file): Promise<EnvFile[]> => {
    const entries = await files.read(file, false)
    if (entries !== undefined) return [{ layer: 'env_file', file, entries }]
    throw new LocaldError('CONFIG_INVALID', `file '${file}' of --env-file does not exist`, {
      hint: 'Create it, or run `locald up` without it.',
    })
  })
  return (await Promise.all([first(), ...added, ...service.common.envFile.map(listed)])).flat()
}
