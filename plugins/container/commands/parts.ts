import type { Host } from '../../../kernel/contract/plugin.ts'
import { LocaldError } from '../../../kernel/errors.ts'
import type { Engines } from '../engines/engines.ts'
import type { Names } from '../names.ts'

/** What the commands work with. */
export interface CommandParts {
  readonly host: Pick<Host, 'use' | 'log'>
  readonly engines: Engines
  readonly names: Names
}

/** Makes the error of a wrong command line. */
export function usageError(message: string, hint = 'Run `locald container` to see all commands.'): LocaldError {
  return new LocaldError('USAGE', message, { hint })
}
