import { stat } from 'node:fs/promises'
import type { Run } from '../../kernel/contract/plugin.ts'
import { LocaldError } from '../../kernel/errors.ts'

/** Throws SPAWN_FAILED when the working folder is missing: the system would report a missing program. */
export async function requireFolder({ dir, key }: Pick<Run<unknown>, 'dir' | 'key'>): Promise<void> {
  const found = await stat(dir).catch(() => undefined)
  if (found?.isDirectory()) return
  throw new LocaldError(
    'SPAWN_FAILED',
    `the working folder ${dir} ${found === undefined ? 'does not exist' : 'is not a folder'}`,
    {
      service: key,
      hint: 'Correct `workdir`; it is relative to the project.',
    },
  )
}
