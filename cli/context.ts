import { LocaldError, messageOf } from '../kernel/errors.ts'
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
 * Finds the daemon's folders and the caller's. Throws USAGE for a bad `--sandbox`, PATHS_UNUSABLE for a current folder
 * that was deleted.
 */
export function locate(args: Pick<ParsedArgs, 'flags'>): Pick<Context, 'paths' | 'cwd'> {
  return { paths: resolvePaths({ env: process.env, sandbox: flagValue(args, 'sandbox') }), cwd: currentFolder() }
}

/** Returns the caller's environment, for services that are started for it. */
export function callerEnvironment(): Record<string, string> {
  const env: Record<string, string> = {}
  for (const [name, value] of Object.entries(process.env)) if (value !== undefined) env[name] = value
  return env
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
