import { join } from 'node:path'
import { parseDotenv } from '../../../kernel/config/dotenv.ts'
import { statIfAny } from '../../../kernel/system/stat.ts'
import { parseTemplate, resolveTemplate, type Scope } from './template.ts'
import type { ReadText } from './text.ts'

/** Returns the variables that compose reads: those of the shell, then those of `.env` in the folder. */
export async function readVariables(
  folder: string,
  shell: Readonly<NodeJS.ProcessEnv>,
  read: ReadText,
): Promise<Scope> {
  const file = join(folder, '.env')
  const values = new Map<string, string>()
  const scope: Scope = name => (Object.hasOwn(shell, name) ? shell[name] : values.get(name))
  // Python's virtual environments are often called `.env`.
  const text = (await statIfAny(file))?.isFile() === true ? await read(file) : undefined
  for (const [name, { value, literal }] of parseDotenv(text ?? ''))
    values.set(name, literal ? value : expand(value, scope))
  return scope
}

function expand(value: string, scope: Scope): string {
  const pieces = parseTemplate(value)
  const resolved = 'fault' in pieces ? undefined : resolveTemplate(pieces, scope)
  return typeof resolved === 'string' ? resolved : value
}
