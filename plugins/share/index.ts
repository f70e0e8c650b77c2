import type { Plugin } from '../../kernel/contract/plugin.ts'
import { shareRoutes } from './routes.ts'
import { Shares } from './shares.ts'

/** Services for other devices: in the local network, or by the tunnel of another program. */
const plugin: Plugin = {
  name: 'share',
  api: 1,
  after: ['proxy'],
  needs: ['fronts'],
  setup(host) {
    const shares: Shares = new Shares({
      catalog: () => host.use.catalog,
      fronts: () => host.use.fronts,
      log: host.log,
      changed: () => changed(),
    })
    const changed = host.shares(key => shares.of(key))
    host.routes('/shares', shareRoutes(shares))
    host.hooks.down.tapPromise('share', async ({ name }) => {
      await shares.stop(key => key.startsWith(`${name}:`), 'its project has stopped')
    })
    let off = (): void => {}
    host.hooks.booted.tap('share', () => {
      off = host.use.catalog.on(event => {
        if (event.event === 'removed') void shares.stop(key => key === event.key, 'its service was removed')
      })
    })
    host.hooks.closing.tapPromise('share', async () => {
      off()
      await shares.stop(() => true, 'the daemon has stopped')
    })
  },
}

export default plugin
