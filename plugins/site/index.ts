import type { Plugin } from '../../kernel/contract/plugin.ts'
import { SiteDriver } from './driver.ts'

/** Static files and their build: type `site`. */
const plugin: Plugin = {
  name: 'site',
  api: 1,
  after: ['exec-runtime'],
  needs: ['processes'],
  setup(host) {
    host.service(new SiteDriver(() => host.use.processes))
  },
}

export default plugin
