import { LocaldError, messageOf, systemCode } from '../kernel/errors.ts'
import { type Paths, resolvePaths } from '../kernel/system/paths.ts'
import { flagValue, type ParsedArgs } from './args/parse.ts'

/** What a command gets: its arguments, where the daemon is and the folder it was called in (absolute). */
export interface Context {
  readonly args: ParsedArgs
  readonly json: boolean
  readonly paths: Paths
  readonly cwd: string
}

/**
 * Enters the folder of `-C`; finds the daemon's folders and the caller's. Throws USAGE for a bad `--sandbox` or `-C`,
 * PATHS_UNUSABLE for a current folder that was deleted.
 */
export function locate(args: Pick<ParsedArgs, 'flags' | 'values'>): Pick<Context, 'paths' | 'cwd'> {
  for (const folder of args.values.get('directory') ?? []) enterFolder(folder)
  return { paths: resolvePaths({ env: process.env, sandbox: flagValue(args, 'sandbox') }), cwd: currentFolder() }
}

/** Returns the caller's environment, for services that are started for it. */
export function callerEnvironment(): Record<string, string> {
  const env: Record<string, string> = {}
  for (const [name, value] of Object.entries(process.env)) if (value !== undefined) env[name] = value
  return env
}

/** Changes the current folder, also for the programs that this one starts. Each `-C` is relative to the one before. */
function enterFolder(folder: string): void {
  try {
    process.chdir(folder)
  } catch (error) {
    const code = systemCode(error)
    const problem = code === 'ENOENT' ? 'not found' : code === 'ENOTDIR' ? 'is no folder' : messageOf(error)
    throw new LocaldError('USAGE', `-C: ${folder}: ${problem}`, { hint: 'Name a folder that exists.', cause: error })
  }
  process.env['PWD'] = process.cwd()
}

function currentFolder(): string {
  try {
    return process.cwd()
  } catch (error) {
    throw new LocaldError('PATHS_UNUSABLE', `the current folder cannot be read: ${messageOf(error)}`, {
      hint: 'Change to a folder that exists.',
      cause: error,
    })
  }
}
