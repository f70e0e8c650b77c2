import t from 'tap'
import plugin from '../../../plugins/platform-darwin/index.ts'
import { setUpPlatform } from '../../lib/platform-plugin.ts'
import { tools } from './harness.ts'

t.test('the plugin provides the services of macOS', tools, async t => {
  const { checks, provided, open } = await setUpPlatform(t, plugin, {
    os: 'darwin',
    release: 25,
    arch: 'arm64',
    uid: 501,
  })
  for (const check of checks) {
    const result = await check.run()
    t.ok(result.status !== 'warn' || result.fix, `${check.id}: ${result.summary}`)
    t.not(`${result.severity} ${result.status}`, 'critical fail')
  }
  t.ok(await provided.processTable?.start(process.pid))
  t.same(await open?.('http://a.localhost'), { argv: ['/usr/bin/open', 'http://a.localhost'] })
})
