import { join } from 'node:path'
import type { Plugin } from '../../kernel/contract/plugin.ts'
import { once } from '../lib/once.ts'
import { addClientVariables } from './client-env.ts'
import { databaseCommand } from './db-command.ts'
import { options } from './options.ts'
import { exportsOf } from './target.ts'

/** Managed PostgreSQL: type `postgres`. */
const plugin: Plugin = {
  name: 'postgres',
  api: 1,
  after: ['exec-runtime'],
  needs: ['processTable', 'processes'],
  setup(host) {
    const implementation = once(async () => (await import('./implementation.ts')).implement(host))
    const driver = async () => (await implementation()).driver
    host.service({
      ...{ type: 'postgres', network: 'port', shape: options },
      prepare: async run => (await driver()).prepare(run),
      start: async run => (await driver()).start(run),
      adopt: async (run, state) => (await driver()).adopt(run, state),
      reset: async run => (await driver()).reset(run),
      exports: (run, at) => exportsOf(run, at, host.folders.sockets),
    })
    host.check({ id: 'postgres', title: 'PostgreSQL', run: async () => (await implementation()).check() })
    host.disk(async () => [{ what: 'PostgreSQL programs and templates', path: join(host.folders.data, 'postgres') }])
    host.command(databaseCommand(async (argv, context) => (await implementation()).command(argv, context)))
    host.hooks.env.tap('postgres', addClientVariables)
  },
}

export default plugin
