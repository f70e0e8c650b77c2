import { LocaldError, messageOf } from '../kernel/errors.ts'
import { type Paths, resolvePaths } from '../kernel/system/paths.ts'
import { flagValue, type Words } from './args/parse.ts'

/** Where the daemon and the caller are. Throws USAGE for a bad `--sandbox`, PATHS_UNUSABLE for a folder that is gone. */
export function locate(words: Pick<Words, 'flags'>): { readonly paths: Paths; readonly cwd: string } {
  return { paths: resolvePaths({ env: process.env, sandbox: flagValue(words, 'sandbox') }), cwd: here() }
}

function here(): string {
  try {
    return process.cwd()
  } catch (error) {
    throw new LocaldError('PATHS_UNUSABLE', `the current folder cannot be read: ${messageOf(error)}`, {
      hint: 'Change to a folder that exists.',
      cause: error,
    })
  }
}
