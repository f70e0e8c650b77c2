import type { Plugin } from '../../kernel/contract/plugin.ts'
import { once } from '../lib/once.ts'
import { isCheckId, titles } from './checks/titles.ts'
import { Claims } from './claims.ts'
import { containerCommand } from './commands/declare.ts'
import { declareEngines, settings } from './engines/declare.ts'
import { containerService } from './service.ts'

/** Containers, by an engine that is there: type `container`. */
const plugin: Plugin = {
  name: 'container',
  api: 1,
  after: ['exec-runtime', 'platform-linux', 'platform-darwin'],
  options: settings,
  setup(host) {
    const engines = declareEngines(host)
    let isLoaded = false
    const implementation = once(async () => {
      const { implement } = await import('./implementation.ts')
      isLoaded = true
      return implement(host, engines)
    })
    for (const [id, title] of Object.entries(titles))
      if (isCheckId(id)) host.check({ id, title, run: async () => (await implementation()).check(id) })
    host.command(containerCommand(async (argv, context) => (await implementation()).command(argv, context)))
    host.service(containerService(async () => (await implementation()).driver))
    host.hooks.booted.tapPromise('container', async () => {
      const claims = await new Claims(host.folders.data).list()
      if (claims.length > 0) await (await implementation()).removeLost()
    })
    host.hooks.down.tapPromise('container', async project => {
      if (isLoaded) await (await implementation()).down(project)
    })
    host.disk(async signal => (engines.projects().length === 0 ? [] : (await implementation()).disk(signal)))
    host.onClose(async () => {
      if (isLoaded) await (await implementation()).close()
    })
  },
}

export default plugin
