import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import type { DoctorAnswer, PluginsAnswer } from '../../kernel/protocol.ts'
import { resolvePaths } from '../../kernel/system/paths.ts'
import { buildGuide } from '../lib/plugin-guide.ts'
import { until } from '../lib/running.ts'
import { Sandbox } from '../lib/sandbox.ts'

const hasRedis = spawnSync('redis-server', ['--version']).status === 0

/** Puts a package where the sandbox's daemon looks for plugins. */
function install(sandbox: Sandbox, name: string, files: Readonly<Record<string, string>>): void {
  const { data } = resolvePaths({ env: sandbox.env })
  const manifest = JSON.stringify({
    name,
    version: '1.2.3',
    type: 'module',
    exports: './index.js',
    locald: { api: 1, types: [name] },
  })
  for (const [path, text] of Object.entries({ 'package.json': manifest, ...files })) {
    sandbox.write(join(data, 'plugins', 'node_modules', name, path), text)
  }
}

const web = '[project]\nname = "shop"\n[services.web]\ncommand = "exec sleep 1000"\ntype = "worker"\n'

t.test('broken plugins do not stop the daemon', async t => {
  const sandbox = new Sandbox(t)
  const bad = {
    throws: 'throw new Error("boom")',
    exits: 'process.exit(0)',
    hangs: 'await new Promise(() => {})',
    'hangs-in-setup': `export default { name: 'hangs-in-setup', api: 1, setup: () => new Promise(() => {}) }`,
    'exits-in-setup': `export default { name: 'exits-in-setup', api: 1, setup: () => process.exit(0) }`,
    'hook-throws': `export default { name: 'hook-throws', api: 1, setup(host) {
      host.hooks.booted.tap('x', () => { throw new Error('boom in booted') })
      host.hooks.closing.tapPromise('x', () => new Promise(() => {}))
      host.onClose(() => { throw new Error('boom in close') })
    } }`,
  }
  for (const [name, text] of Object.entries(bad)) install(sandbox, name, { 'index.js': text })
  const shop = sandbox.project('shop', { 'locald.toml': web })
  await sandbox.up(shop)
  t.equal((await sandbox.service(shop, 'web')).status, 'running')

  const { plugins }: PluginsAnswer = JSON.parse((await sandbox.ok(['plugins', 'list', '--json'])).stdout)
  const states = new Map(plugins.map(({ name, state, reason }) => [name, `${state}: ${reason}`]))
  t.equal(states.get('throws'), 'broken: import failed: boom')
  t.equal(states.get('exits'), 'broken: import failed: the plugin called process.exit()')
  t.equal(states.get('hangs'), 'broken: import timed out after 4 s')
  t.equal(states.get('hangs-in-setup'), 'broken: setup timed out after 3 s')
  t.equal(states.get('exits-in-setup'), 'broken: setup failed: the plugin called process.exit()')
  t.equal(states.get('hook-throws'), 'active: null')
  const list = await sandbox.ok(['plugins', 'list'])
  t.match(list.stdout, /hangs +1\.2\.3 +npm +broken/)

  sandbox.write(join(shop, 'locald.toml'), `${web}[services.a]\ntype = "throws"\n`)
  const refused = await sandbox.run(['up'], { cwd: shop })
  t.equal(refused.code, 2)
  t.match(
    refused.stderr,
    /^Error: service 'a': type 'throws' is not available: plugin throws is broken: .* \[SERVICE_TYPE_UNSUPPORTED\]\n {2}locald\.toml:7: services\.a\.type\nHint: /m,
  )
  sandbox.write(join(shop, 'locald.toml'), `${web}[plugins]\nmongo = "^1"\nthrows = "^1"\n`)
  const missing = await sandbox.run(['up'], { cwd: shop })
  t.equal(missing.code, 2)
  t.match(missing.stderr, /\[PLUGIN_MISSING\]/)
  t.match(missing.stderr, /plugin locald-plugin-mongo is not installed/)
  t.match(missing.stderr, /plugin throws is broken/)
  t.equal((await sandbox.service(shop, 'web')).status, 'running', 'what runs is not touched')

  const { daemonLog } = resolvePaths({ env: sandbox.env })
  t.match(readFileSync(daemonLog, 'utf8'), /hook-throws: .*boom in booted/)
  await sandbox.ok(['server', 'shutdown'])
  const log = await until('the end of the daemon', () => {
    const text = readFileSync(daemonLog, 'utf8')
    return / stopped \(pid \d+\)/.test(text) && text
  })
  t.match(log, /plugin hook-throws: hook 'closing' timed out after 3 s/)
  t.match(log, /hook-throws: closing: boom in close/)
})

t.test('a third-party plugin adds a flag, a variable, a table and options', async t => {
  const sandbox = new Sandbox(t)
  const code = `export default { name: 'mailer', api: 1, options: { schema: { type: 'object', properties: { port: { type: 'integer' } } } },
    setup(host) {
      host.feature('mailer:tls', { on: true, title: 'Encrypted mail' })
      host.feature('mailer:dkim', { on: false, reason: 'there is no key', hint: 'Make a key.', title: 'Signed mail' })
      const schema = { type: 'object', properties: { from: { type: 'string' } }, additionalProperties: false }
      host.table({ name: 'mail', shape: { schema } })
      host.variable({ name: 'MAIL_URL', rank: 'override', value: () => 'smtp://127.0.0.1:' + host.options.port })
      host.variable({ name: 'MAIL_USER', rank: 'fallback', value: () => 'nobody' })
      host.service({ type: 'mailer', requires: ['mailer:dkim'], shape: { schema: {} }, start: async () => {} })
      host.command({ name: 'mails', description: 'd', run: async (argv, { project }) => ({
        exitCode: 0, text: '', table: { columns: ['FROM', 'SIZE'], rows: [[project ?? '-', 3]] },
      }) })
    } }`
  const manifest = { name: 'mailer', version: '1.0.0', type: 'module', exports: './index.js' }
  install(sandbox, 'mailer', {
    'index.js': code,
    'package.json': JSON.stringify({ ...manifest, locald: { api: 1, types: ['mailer'], table: 'mail_server' } }),
  })
  const { config } = resolvePaths({ env: sandbox.env })
  sandbox.write(join(config, 'config.toml'), '[mail_server]\nport = 2525\n')
  const text = `${web}env = { MAIL = "\${MAIL_URL}/x" }\n[mail]\nfrom = "a@shop.localhost"\n`
  const shop = sandbox.project('shop', { 'locald.toml': text })
  await sandbox.up(shop)
  const env = async (name: string, more = {}) =>
    (await sandbox.ok(['run', 'web', '--', 'printenv', name], { cwd: shop, env: more })).stdout.trim()
  t.equal(await env('MAIL'), 'smtp://127.0.0.1:2525/x', 'before references are resolved')
  t.equal(await env('MAIL_USER'), 'nobody')
  t.equal(await env('MAIL_USER', { MAIL_USER: 'ann' }), 'ann', 'the shell counts more than a fallback')
  const { plugins }: PluginsAnswer = JSON.parse((await sandbox.ok(['plugins', 'list', '--json'])).stdout)
  t.strictSame(plugins.find(({ name }) => name === 'mailer')?.features, ['mailer:tls'])
  const doctor: DoctorAnswer = JSON.parse((await sandbox.run(['doctor', '--json'])).stdout)
  const checks = doctor.checks.filter(({ plugin }) => plugin === 'mailer')
  t.match(checks, [
    { id: 'mailer:tls', status: 'pass', summary: 'Encrypted mail: available' },
    { id: 'mailer:dkim', status: 'warn', summary: 'Signed mail: there is no key', fix: 'Make a key.' },
  ])
  t.match((await sandbox.ok(['mails'], { cwd: shop })).stdout, /^FROM +SIZE\n\S+shop +3\n/)
  t.strictSame(JSON.parse((await sandbox.ok(['mails', '--json'])).stdout), [{ FROM: '-', SIZE: 3 }])
  sandbox.write(join(shop, 'locald.toml'), `${web}[mail]\nfrm = "a"\n[services.m]\ntype = "mailer"\n`)
  const refused = await sandbox.run(['up'], { cwd: shop })
  t.match(refused, { code: 2, stderr: /mail\.frm: unknown key; did you mean 'from'\?/ })
  t.match(refused.stderr, /type 'mailer' is not available: there is no key/)
})

t.test("the guide's example", { skip: hasRedis ? false : 'redis-server is not installed' }, async t => {
  const built = t.testdir({})
  await buildGuide(built)
  const sandbox = new Sandbox(t)
  const read = (path: string) => readFileSync(join(built, path), 'utf8')
  install(sandbox, 'locald-plugin-redis', {
    'package.json': read('package.json'),
    'dist/index.js': read('dist/index.js'),
  })
  const folder = sandbox.project('shop', {
    'locald.toml': `${web}env = { REDIS_URL = "\${services.cache.url}" }\n[services.cache]\ntype = "redis"\nmemory = "32mb"\n[plugins]\nredis = "^1.0"\n`,
  })
  await sandbox.up(folder)
  const cache = await sandbox.service(folder, 'cache')
  t.match(cache, { type: 'redis', status: 'running', url: null })
  t.equal(await ask(cache.port, 'SET a kept'), '+OK\r\n')
  const env = await sandbox.ok(['run', 'web', '--', 'printenv', 'REDIS_URL'], { cwd: folder })
  t.equal(env.stdout.trim(), `redis://127.0.0.1:${cache.port}`)

  await sandbox.ok(['server', 'restart'])
  const adopted = await sandbox.service(folder, 'cache')
  t.equal(adopted.pid, cache.pid, 'it outlives its daemon')
  await sandbox.ok(['restart', 'cache'], { cwd: folder })
  const again = await sandbox.service(folder, 'cache')
  t.not(again.pid, cache.pid)
  t.equal(again.port, cache.port)
  t.match(await ask(again.port, 'GET a'), /kept/)
})

async function ask(port: number | null, words: string): Promise<string> {
  const socket = connect(port ?? 0, '127.0.0.1')
  socket.end(`${words}\r\n`)
  const [answer] = await once(socket, 'data')
  return String(answer)
}

t.test('trust and untrust reject unknown arguments before doing anything', async t => {
  const sandbox = new Sandbox(t)
  for (const words of [
    ['trust', '--dry-run'],
    ['untrust', 'chromium'],
    ['untrust', '--system'],
  ] as const) {
    const ran = await sandbox.run(words)
    const stderr = `Error: unexpected argument '${words[1]}' [USAGE]\nHint: See \`locald ${words[0]} --help\`.\n`
    t.strictSame([ran.code, ran.stdout, ran.stderr], [2, '', stderr])
  }
})

t.test('plugins install and uninstall packages', async t => {
  const sandbox = new Sandbox(t)
  const clock = `import { shape } from 'locald/plugin'
export default {
  name: 'locald-plugin-clock',
  api: 1,
  needs: ['processes'],
  setup(host) {
    host.service({
      type: 'clock',
      shape: shape({ type: 'object', properties: { seconds: { type: 'number', default: 1 } }, additionalProperties: false }),
      network: 'none',
      start: run => host.use.processes.spawn({
        key: run.key, argv: ['/bin/sh', '-c', \`while :; do date; sleep \${run.options.seconds}; done\`], dir: run.dir, env: run.env,
        tty: false, log: run.log, port: undefined, stopSignal: run.stopSignal, stopTimeout: run.stopTimeout,
      }),
      adopt: (run, state) => host.use.processes.adopt(state, run.log),
    })
    host.command({ name: 'clock', description: 'Show the time', run: async argv => ({ exitCode: 0, text: \`clock \${argv.join(' ')}\` }) })
  },
}
`
  const manifest = {
    name: 'locald-plugin-clock',
    version: '1.2.0',
    type: 'module',
    exports: './index.js',
    locald: { api: 1, types: ['clock'] },
    peerDependencies: { locald: '*' },
  }
  const folder = sandbox.project('clock', { 'package.json': JSON.stringify(manifest), 'index.js': clock })
  const shop = sandbox.project('shop', { 'locald.toml': web })
  await sandbox.up(shop)
  const { pid } = await sandbox.service(shop, 'web')
  // Shorter than the daemon keeps a connection that asks for nothing.
  const limitMs = 20_000
  const added = await sandbox.ok(['plugins', 'add', folder], { limitMs })
  t.equal(added.stdout, 'locald-plugin-clock 1.2.0 active\n')
  sandbox.write(join(shop, 'locald.toml'), `${web}[services.clock]\ntype = "clock"\n[plugins]\nclock = "^1.2"\n`)
  await sandbox.up(shop)
  const ticking = await sandbox.service(shop, 'clock')
  t.equal(ticking.status, 'running')
  t.equal((await sandbox.service(shop, 'web')).pid, pid, 'services run on while plugins are added')
  t.equal((await sandbox.ok(['clock', 'a', '--b'])).stdout, 'clock a --b\n')
  // While one of its services runs: all others are adopted as ever.
  await sandbox.ok(['plugins', 'remove', 'clock'], { limitMs })
  const kept = {
    status: 'running',
    pid: ticking.pid,
    reason: /type 'clock' is not available: .*; the process keeps running/,
  }
  t.match(await sandbox.service(shop, 'clock'), kept)
  t.match(await sandbox.service(shop, 'web'), { status: 'running', pid })
  t.match(await sandbox.run(['up'], { cwd: shop }), { code: 2, stderr: /PLUGIN_MISSING/ })
  const again = await sandbox.run(['plugins', 'remove', 'clock'])
  t.match(again, { code: 2, stdout: '', stderr: /^Error: plugin 'clock' not installed from npm \[USAGE]\nHint: / })
  const unknown = await sandbox.run(['plugins', 'add', join(sandbox.home, 'nothing-there')])
  t.equal(unknown.code, 1)
  t.match(unknown.stderr, /Error: npm install failed \[STEP_FAILED]\nHint: /)
})
