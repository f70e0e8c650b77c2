import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import type { BootUnit } from '../../../kernel/contract/plugin.ts'
import { unitOf, unitText } from '../../../plugins/platform-linux/boot.ts'
import plugin from '../../../plugins/platform-linux/index.ts'
import { unitCheck } from '../../../plugins/platform-linux/systemd-unit.ts'
import { setUpPlatform } from '../../lib/platform-plugin.ts'
import { linux, uid } from './harness.ts'

t.test('the plugin provides the services of Linux', linux, async t => {
  const { features, checks, provided, open } = await setUpPlatform(t, plugin, {
    os: 'linux',
    release: 6,
    arch: 'x64',
    uid,
  })
  for (const check of checks) {
    const result = await check.run()
    t.ok(['pass', 'skip'].includes(result.status) || result.fix, `${check.id}: ${result.summary}`)
    t.not(`${result.severity} ${result.status}`, 'critical fail')
  }
  t.ok(await provided.processTable?.start(process.pid))
  const opening = await open?.('http://a.localhost')
  if (features.get('open-browser')?.on === true) t.match(opening, { argv: [/open|wslview/, 'http://a.localhost'] })
  else t.match(opening, { argv: null, hint: /\w/ })
})

t.test('checks the installed systemd unit', async t => {
  const home = t.testdir({ bin: {}, my: {} })
  const at = (name: string) => join(home, 'my', name)
  const systemctl = join(home, 'bin', 'systemctl')
  const env = { HOME: home, PATH: `${join(home, 'bin')}:/usr/bin:/bin`, LOCALD_SANDBOX: 'a-1' }
  const check = unitCheck({ root: home, env, uid: 1000 })
  t.match(await check.run(), { status: 'skip' })
  const run = [at('keeper'), 'lock', '/l', '--', at('node'), at('daemon.js')] as const
  const unit: BootUnit = { sandbox: 'a-1', run: [...run], shutdown: ['/x'], env: {}, log: '/log' }
  const { name, file } = unitOf({ root: '/', env, uid: 1000 }, 'a-1')
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, unitText(name, unit))
  const fix = 'Run `locald server install`.'
  const missing = (path: string) => ({
    status: 'warn',
    summary: `the systemd unit starts ${path}, which cannot be run`,
    fix,
  })
  t.match(await check.run(), missing(at('keeper')))
  writeFileSync(at('keeper'), '', { mode: 0o755 })
  t.match(await check.run(), missing(at('node')))
  writeFileSync(at('node'), '', { mode: 0o755 })
  t.match(await check.run(), missing(at('daemon.js')))
  writeFileSync(at('daemon.js'), '')
  writeFileSync(systemctl, `#!/bin/sh\ntest "$*" = "--user is-enabled ${name}"\n`, { mode: 0o755 })
  t.match(await check.run(), { status: 'pass' })
  writeFileSync(systemctl, '#!/bin/sh\nexit 1\n', { mode: 0o755 })
  t.match(await check.run(), { status: 'warn', summary: 'systemd does not have locald-a-1.service enabled', fix })
})
