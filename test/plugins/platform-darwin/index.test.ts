import t from 'tap'
import type { Check, FeatureName, FeatureState, Host, Services } from '../../../kernel/contract/plugin.ts'
import { platformFeatures } from '../../../plugins/lib/features.ts'
import plugin from '../../../plugins/platform-darwin/index.ts'
import { fakeHost } from '../../lib/fake-host.ts'
import { tools } from './harness.ts'

t.test('the plugin provides the services of macOS', tools, async t => {
  const features = new Map<FeatureName, FeatureState>()
  const checks: Check[] = []
  const offered: Partial<Services> = {}
  const use: Services = Object.create(null)
  const nothing = () => t.fail('not for a platform plugin')
  let open: Parameters<Host['opener']>[0] | undefined
  await plugin.setup(
    fakeHost({
      platform: { os: 'darwin', release: 25, arch: 'arm64', uid: 501 },
      log: { info: nothing, warn: nothing, error: nothing },
      service: nothing,
      feature: (name, state) => features.set(name, typeof state === 'function' ? state() : state),
      has: name => features.get(name)?.on === true,
      check: check => checks.push(check),
      command: nothing,
      routes: nothing,
      opener: given => {
        open = given
      },
      provide: (name, make) => Object.assign(offered, { [name]: make(use) }),
    }),
  )
  t.same([...features.keys()], platformFeatures)
  for (const [name, state] of features) t.ok(state.on || (state.reason && state.hint), name)
  t.equal(new Set(checks.map(({ id }) => id)).size, checks.length)
  for (const check of checks) {
    const result = await check.run()
    t.ok(result.status !== 'warn' || result.fix, `${check.id}: ${result.summary}`)
    t.not(`${result.severity} ${result.status}`, 'critical fail')
  }
  t.ok(await offered.processTable?.start(process.pid))
  t.same(await open?.('http://a.localhost'), { argv: ['/usr/bin/open', 'http://a.localhost'] })
})
