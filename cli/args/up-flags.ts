import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { LocaldError } from '../../kernel/errors.ts'
import type { UpBody } from '../../kernel/protocol.ts'
import { flagValue, type ParsedArgs } from './parse.ts'

/** Reads the flags that change what `up` starts, and for whom. Throws USAGE. */
export async function readUpFlags(
  args: Pick<ParsedArgs, 'flags' | 'values'>,
  cwd: string,
): Promise<Pick<UpBody, 'noDependencies' | 'envFiles' | 'lease'>> {
  const files = args.values.get('env-file')?.map(file => resolve(cwd, file))
  const missing = files?.find(file => !existsSync(file))
  if (missing !== undefined)
    throw new LocaldError('USAGE', `--env-file: ${missing} not found`, { hint: 'Name a file that exists.' })
  const lease = flagValue(args, 'lease')
  return {
    ...(args.flags.has('no-deps') ? { noDependencies: true } : {}),
    ...(files === undefined ? {} : { envFiles: files }),
    ...(lease === undefined ? {} : { lease: await (await import('./lease.ts')).readLease(lease) }),
  }
}
