import type { Plugin } from '../../kernel/plugin.ts'
import { checkPrograms } from './check.ts'
import { databaseCommand } from './command.ts'
import { PostgresDriver } from './driver.ts'
import { withDatabase } from './environment.ts'
import { Shared } from './shared.ts'

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
