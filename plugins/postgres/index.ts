import type { Plugin } from '../../kernel/contract/plugin.ts'
import { checkPrograms } from './check.ts'
import { withDatabase } from './client-env.ts'
import { Shared } from './cluster/context.ts'
import { databaseCommand } from './db-command.ts'
import { PostgresDriver } from './driver.ts'

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
