import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import type { Host, Instance, Run, ServiceType } from '../../kernel/contract/plugin.ts'
import { LocaldError } from '../../kernel/errors.ts'
import { describeBuiltIns, findNpmPlugins } from '../../kernel/plugins/discover.ts'
import { factsOf } from '../../kernel/system/platform.ts'
import { testKernel } from '../../kernel/testing/index.ts'
import shipped from '../../plugins/index.ts'
import { buildGuide, guideFiles, guideSnippets, node } from '../lib/plugin-guide.ts'
import { plugin, testLoader } from '../lib/plugin-loader.ts'

const hasRedis = spawnSync('redis-server', ['--version']).status === 0
const skip = hasRedis ? false : 'redis-server is not installed'
/** Nothing here hangs, and a busy machine is slow: ms. */
const limits = { importMs: 10_000, setupMs: 10_000 }

t.test('the example of the guide for plugin authors', async t => {
  const folder = t.testdir({ node_modules: {} })
  const own = join(folder, 'node_modules', 'locald-plugin-redis')
  const snippets = guideSnippets().map(
    (text, index) => [`src/snippet${index}.ts`, `import 'locald/plugin'\n${text}`] as const,
  )
  const user = `import type { Services } from 'locald/plugin'\nexport const use = (it: Services) => it.redis.flush(it.catalog.services()[0]?.key ?? '')\n`
  await buildGuide(own, new Map([...snippets, ['src/uses-snippet.ts', user]]))

  await t.test('has a package and is loaded', async t => {
    t.strictSame([...guideFiles().keys()], ['package.json', 'tsconfig.json', 'src/index.ts', 'src/index.test.ts'])
    const kernel = testLoader({ facts: factsOf({}, undefined), limits })
    const views = await kernel.load(...describeBuiltIns(shipped, '1.0.0'), ...(await findNpmPlugins(folder)))
    t.match(views.at(-1), {
      name: 'locald-plugin-redis',
      version: '1.0.0',
      from: 'npm',
      state: 'active',
      reason: null,
      types: ['redis'],
    })
    t.notOk(LocaldError.is(kernel.contributions.findType('redis')))
    t.ok(
      kernel.contributions
        .checks()
        .some(({ owner, it }) => owner === 'locald-plugin-redis' && it.id === 'redis-server'),
    )
  })

  await t.test('shows flags, variables and tables that work', async t => {
    const at = guideSnippets().findIndex(text => text.includes('host.variable('))
    const { setup }: { setup(host: Host): void } = await import(join(own, 'dist', `snippet${at}.js`))
    const kernel = testLoader({ limits })
    const [view] = await kernel.load(plugin('locald-plugin-mail', setup))
    t.match(view, { state: 'active', reason: null })
    t.match(kernel.features.get('mail:tls'), { on: false, title: 'Encrypted mail' })
    t.match(kernel.contributions.tables(), [{ name: 'mail' }])
    const [url] = kernel.contributions.variables()
    t.equal(url?.value({ port: 3000, hosts: ['shop.localhost'] }), 'smtp://127.0.0.1:2525')
    t.equal(url?.value({ port: 3000, hosts: [] }), undefined)
  })

  await t.test('shows a type of guests that works', async t => {
    const at = guideSnippets().findIndex(text => text.includes("reach: 'guest'"))
    const { jail }: { jail(start: (run: Run<unknown>) => Promise<Instance>): ServiceType<unknown> } = await import(
      join(own, 'dist', `snippet${at}.js`)
    )
    const exited = Promise.resolve({ code: 0, signal: null })
    const start = async () => ({ pid: null, startedMs: 0, exited, state: null, stop: async () => {} })
    const kernel = await testKernel({
      plugins: [{ name: 'locald-plugin-jail', api: 1, setup: host => host.service(jail(start)) }],
    })
    t.teardown(() => kernel.close())
    const { run } = await kernel.start({ type: 'jail', image: 'x', inside: 80, ports: [9001], workdir: '/srv' })
    t.match(run, { workdir: '/srv', dir: run.project.path, env: { PORT: '80' }, ports: { 9001: Number } })
    t.strictSame([run.env['PATH'], run.env['HOST']], [undefined, undefined])
    const type = kernel.type('jail')
    t.strictSame(type.exports?.(run, { host: 'tested.jail', port: 80 }), { address: 'tested.jail:80' })
    t.match(await type.oneOff?.(run, ['ls'], { tty: true }), { argv: ['jail', 'enter', '--tty', 'tested', 'ls'] })
    const none = await kernel.start({ type: 'jail', image: 'x' })
    t.equal(none.run.port, undefined)
    await t.rejects(kernel.start({ type: 'jail', image: 'x', health_check: { type: 'notify' } }), {
      code: 'CONFIG_INVALID',
    })
  })

  await t.test('is off, with the reason, when no plugin provides processes', async t => {
    const [view] = await testLoader({ limits }).load(...(await findNpmPlugins(folder)))
    t.match(view, { state: 'off', code: 'PLUGIN_NEEDS', reason: "requires 'processes', which no plugin provides" })
  })

  await t.test('passes its own test', { skip }, async t => {
    const { code, said } = node(own, ['--test', '--test-reporter=tap', 'dist/index.test.js'])
    t.equal(code, 0, said)
    t.match(said, /# pass 2\n# fail 0/)
  })
})
