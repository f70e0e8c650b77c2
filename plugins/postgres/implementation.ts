import type { Check, Command, Host, ServiceType } from '../../kernel/contract/plugin.ts'
import { checkPrograms } from './check.ts'
import { PostgresContext } from './cluster/context.ts'
import { runDatabaseCommand } from './db-run.ts'
import { PostgresDriver } from './driver.ts'
import type { PostgresOptions } from './options.ts'

/** What is imported when the first service of the type starts, or its command or check is run. */
export interface Implementation {
  readonly driver: Pick<Required<ServiceType<PostgresOptions>>, 'prepare' | 'start' | 'adopt' | 'reset'>
  readonly command: Command['run']
  readonly check: Check['run']
}

export function implement(host: Host): Implementation {
  const context = new PostgresContext(host)
  return {
    driver: new PostgresDriver(context),
    command: (argv, call) => runDatabaseCommand(context, argv, call),
    check: () => checkPrograms(context),
  }
}
