import type { CheckResult, Plugin } from '../../kernel/contract/plugin.ts'
import { messageOf } from '../../kernel/errors.ts'
import { newest } from './binaries/versions.ts'
import { withDatabase } from './client-env.ts'
import { Shared } from './cluster/context.ts'
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
    const shared = new Shared(host)
    host.service(new PostgresDriver(shared))
    host.check({ id: 'postgres', title: 'PostgreSQL', run: () => checkPrograms(shared) })
    host.command(databaseCommand(shared))
    host.hooks.env.tap('postgres', withDatabase)
  },
}

export default plugin

/** Whether a service of the type could be started: by whom, and with which programs; and what copies of its data are here. */
async function checkPrograms(shared: Shared): Promise<CheckResult> {
  try {
    await shared.account()
  } catch (error) {
    return { status: 'warn', severity: 'optional', summary: messageOf(error), fix: 'Run locald as an ordinary user.' }
  }
  const [origin, isShared] = await Promise.all([
    shared.installations.atHand(process.env['PATH']),
    hasClones(shared.folders.data),
  ])
  return { status: 'pass', severity: 'optional', summary: `${programs(origin)}${copies(isShared)}` }
}

function programs(origin: 'bundled' | 'fetched' | 'system' | undefined): string {
  if (origin === undefined) return `PostgreSQL ${newest} is fetched from the npm registry when it is first needed`
  return `PostgreSQL ${newest} ${origin === 'bundled' ? 'comes with locald' : 'is installed'}`
}

function copies(isShared: boolean | undefined): string {
  if (isShared === undefined) return ''
  return isShared
    ? '; branches and snapshots share blocks on this volume'
    : '; branches and snapshots are whole copies on this volume'
}
