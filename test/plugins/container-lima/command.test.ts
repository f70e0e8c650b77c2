import { existsSync } from 'node:fs'
import t from 'tap'
import { bootLima } from './harness.ts'

t.test('`locald vm` manages the VM', async t => {
  const lima = await bootLima(t)
  const vm = (...argv: readonly string[]) => lima.kernel.command('vm', ...argv)
  t.match(await vm(), { exitCode: 2, text: /locald vm install/ })
  t.match(await vm('--help'), { exitCode: 0, text: /locald vm delete +Remove the VM\n +--yes +Remove it/ })
  await t.rejects(vm('statsu'), {
    ...{ code: 'USAGE', message: "locald vm: unknown subcommand 'statsu'", hint: "Did you mean 'status'?" },
  })
  for (const word of ['delte', 'stpo', 'remove'])
    await t.rejects(vm(word), { code: 'USAGE', hint: 'Run `locald vm` for the list of subcommands.' }, word)
  await t.rejects(vm('constructor'), { code: 'USAGE' })
  await t.rejects(vm('stop', 'now'), { code: 'USAGE', message: /unexpected argument 'now'/ })
  await t.rejects(vm('stop', '--force'), { code: 'USAGE' })
  t.match(await vm('status'), { data: { state: 'absent', lima: '2.2.0', services: 0, engine: null } })
  t.match(await vm('delete'), { text: 'There is no VM' })
  t.match(await vm('start'), { exitCode: 0, text: 'The VM is running, with nerdctl 2.3.5' })
  t.match(await vm('status'), { data: { state: 'running', engine: 'nerdctl 2.3.5', problems: null } })
  t.match(await vm('logs'), { text: /serial\.log:\n.*Linux version/ })
  t.match(await vm('shell'), {
    text: '',
    terminal: { argv: [/limactl$/, '--tty=false', 'shell', '--workdir', '/', 'locald'] },
  })
  t.match(await vm('shell', '--', 'ls', '--help'), { terminal: { argv: { 6: 'ls', 7: '--help' } } })
  const release = (await lima.up()).hold('shop:cache')
  await t.rejects(vm('stop'), { code: 'USAGE', message: 'shop:cache uses the VM', hint: /locald vm stop --yes/ })
  t.ok(lima.pid('ha.pid'))
  t.match(await vm('stop', '--yes'), { text: 'The VM is stopped' })
  t.equal(lima.pid('ha.pid'), undefined)
  release()
  await t.rejects(vm('delete'), { code: 'USAGE', message: /removes the VM with all volumes in it/ })
  await vm('start')
  await t.rejects(vm('delete'), { code: 'USAGE', message: /with the volumes locald-shop-data-0a1b2c/, hint: /--yes/ })
  t.ok(existsSync(lima.dir))
  t.match(await vm('delete', '--yes'), { text: 'Deleted the VM with the volumes locald-shop-data-0a1b2c' })
  t.notOk(existsSync(lima.dir))
  t.match(await vm('status'), { data: { state: 'absent', pending: null } })
})

t.test('an idle VM stops, and starts for the next container', async t => {
  const lima = await bootLima(t, { settings: { idle_stop: '300ms' } })
  const release = (await lima.up()).hold('shop:cache')
  await new Promise(wake => setTimeout(wake, 600))
  t.ok(lima.pid('ha.pid'), 'not while it is used')
  release()
  while (!lima.kernel.logged.some(line => line.includes('stopped the idle Lima VM')))
    await new Promise(wake => setTimeout(wake, 20))
  t.equal(lima.pid('ha.pid'), undefined)
  const again = (await lima.up()).hold('shop:cache')
  t.strictSame(lima.calls(), ['create', 'start', 'stop', 'start'])
  again()
})

t.test('a VM that an earlier daemon left running stops when no service uses it', async t => {
  const first = await bootLima(t)
  await first.up()
  const second = await bootLima(t, { env: { LOCALD_LIMA_HOME: first.home }, settings: { idle_stop: '100ms' } })
  while (!second.kernel.logged.some(line => line.includes('stopped the idle')))
    await new Promise(wake => setTimeout(wake, 20))
  t.equal(first.pid('ha.pid'), undefined)
  await second.up()
  t.strictSame(first.calls(), ['create', 'start', 'stop', 'start'])
  const third = await bootLima(t, { env: { LOCALD_LIMA_HOME: first.home } })
  t.match(await third.kernel.command('vm', 'status'), { data: { state: 'running', engine: null } })
  t.match(await third.up(), { dialect: 'nerdctl' }, 'adopted after it was only looked at')
})

t.test('the VM stops with the daemon where the options say so', async t => {
  const lima = await bootLima(t, { settings: { stop_with_daemon: true } })
  await lima.up()
  await lima.kernel.hooks.closing()
  while (lima.pid('ha.pid') !== undefined) await new Promise(wake => setTimeout(wake, 20))
  t.strictSame(lima.calls(), ['create', 'start', 'stop'])
})

t.test('the checks of doctor say what is missing', async t => {
  const lima = await bootLima(t)
  const checks = async (of = lima) => {
    const { checks } = await of.kernel.doctor()
    return Object.fromEntries(checks.map(({ id, status, summary, fix }) => [id, { status, summary, fix }]))
  }
  t.match(await checks(), {
    lima: { status: 'pass', summary: /^Lima 2\.2\.0 at / },
    'lima-folder': { status: /pass|warn/ },
    'lima-vm': { status: 'pass', summary: /created when a container first needs it/ },
  })
  t.match(lima.kernel.feature('vm'), { on: true })
  lima.order('old')
  t.match(await checks(), { lima: { status: 'warn', summary: /too old/, fix: /brew upgrade lima/ } })
  t.match(await lima.source.look(), { state: 'absent', reason: /too old/, hint: /brew upgrade lima/ })
  lima.order('broken-orphan')
  await t.rejects(lima.up())
  t.match(await checks(), {
    'lima-vm': { status: 'warn', summary: /broken: qemu driver is running but host agent is not/ },
  })
  const missing = await bootLima(t, { env: { LIMACTL: '/no/limactl' } })
  t.match(await checks(missing), { lima: { status: 'skip' }, 'lima-vm': { status: 'skip' } })
  t.match(missing.kernel.feature('vm'), { on: false, reason: 'Lima is not installed', hint: /locald vm install/ })
  t.match(await missing.source.look(), { state: 'absent', hint: /Set LIMACTL/ })
})
