import type { Plugin } from '../../kernel/contract/plugin.ts'
import { CronDriver } from './driver.ts'

/** Commands that run by a schedule: type `cron`. */
const plugin: Plugin = {
  name: 'cron',
  api: 1,
  after: ['exec-runtime'],
  needs: ['processes'],
  setup(host) {
    const closing = new AbortController()
    host.service(new CronDriver(() => host.use.processes, closing.signal))
    host.onClose(() => closing.abort())
  },
}

export default plugin
