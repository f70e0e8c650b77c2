import { join } from 'node:path'
import { type ProjectFolder, parseDotenv } from '../../../kernel/contract/plugin.ts'
import { parseTemplate, resolveTemplate, type Scope } from './template.ts'

/** Returns the variables that compose reads: those of the shell, then those of `.env` in `dir`, absolute. */
export async function readVariables(dir: string, reading: Reading): Promise<Scope> {
  const { env } = reading
  const values = new Map<string, string>()
  const scope: Scope = name => (Object.hasOwn(env, name) ? env[name] : values.get(name))
  const text = await reading.readNamed(join(dir, '.env'))
  for (const [name, { value, literal }] of parseDotenv(text ?? ''))
    values.set(name, literal ? value : expand(value, scope))
  return scope
}

/** What reading compose files needs of the project's folder. */
export type Reading = Pick<ProjectFolder, 'env' | 'readNamed'>

function expand(value: string, scope: Scope): string {
  const pieces = parseTemplate(value)
  const resolved = 'fault' in pieces ? undefined : resolveTemplate(pieces, scope)
  return typeof resolved === 'string' ? resolved : value
}
