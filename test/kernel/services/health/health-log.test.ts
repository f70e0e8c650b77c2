import t from 'tap'
import { Logs } from '../../../../kernel/logs/service-log.ts'
import { HealthWatch } from '../../../../kernel/services/health/health.ts'
import { folder } from '../../../lib/log-model.ts'

t.test('matches a line after the clock was set back, but none from before the start', async t => {
  const log = new Logs(folder(t)).of('shop', 'web')
  log.write('stdout', 'ready')
  const over = new AbortController()
  t.teardown(() => over.abort())
  const startedMs = Date.now() + 86_400_000
  const instance = { pid: 1, startedMs, exited: new Promise<never>(() => {}), state: {}, stop: async () => {} }
  const health = new HealthWatch({
    check: { type: 'log', pattern: '^ready', interval: 1000, intervalGiven: false, timeout: 1000 },
    ...{ instance, log, port: undefined, protocol: undefined, address: undefined, dir: '/', env: {} },
    signal: over.signal,
  })
  let lines = 0
  const writing = setInterval(() => log.write('stdout', `ready ${++lines}`), 50)
  t.teardown(() => clearInterval(writing))
  t.match(await health.waitUntilReady(() => {}), { ok: true })
  t.ok(lines > 0)
})
