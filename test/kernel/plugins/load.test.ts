import t from 'tap'
import type { Host } from '../../../kernel/contract/plugin.ts'
import {
  found,
  never,
  noProcessTable,
  plugin,
  reasonsByName,
  serviceType,
  testLoader,
} from '../../lib/plugin-loader.ts'

t.test('loads a valid plugin', async t => {
  const kernel = testLoader()
  const [view, ...others] = await kernel.load(
    plugin('works', async host => {
      t.strictSame(host.options, {})
      t.strictSame(host.platform, { os: 'linux', release: 6, arch: 'x64', uid: 1000 })
      await null
      host.service(serviceType('thing'))
      host.feature('vm', { on: true })
      host.feature('shim', { on: false, reason: 'it is not there' })
      host.command({ name: 'thing list', description: 'lists things', run: async () => ({ exitCode: 0, text: '' }) })
    }),
  )
  t.strictSame(others, [])
  t.match(view?.setupMs, Number)
  t.strictSame(
    { ...view, setupMs: 0 },
    {
      name: 'works',
      version: '1.0.0',
      from: 'npm',
      state: 'active',
      reason: null,
      types: ['thing'],
      features: ['vm'],
      commands: ['thing list'],
      setupMs: 0,
    },
  )
})

t.test('rejects modules that are no plugin for this machine', async t => {
  const setup = () => t.fail('it is not set up')
  const api = { name: 'x', api: 1, setup }
  const cases: readonly [string, unknown, string][] = [
    ['nothing', undefined, 'broken PLUGIN_API its default export is not a plugin: { name, api, setup }'],
    ['a text', 'plugin', 'broken PLUGIN_API its default export is not a plugin: { name, api, setup }'],
    ['no setup', { name: 'x', api: 1 }, 'broken PLUGIN_API its default export is not a plugin: { name, api, setup }'],
    ['api 2', { ...api, api: 2 }, 'broken PLUGIN_API requires plugin API 2; this version provides 1'],
    ['api "1"', { ...api, api: '1' }, 'broken PLUGIN_API requires plugin API 1; this version provides 1'],
    ['another name', { ...api, name: 'y' }, "broken PLUGIN_API plugin name 'y' does not match its package name"],
    ['platforms', { ...api, platforms: ['darwin'] }, 'off PLUGIN_PLATFORM supports darwin, not linux'],
    [
      'more platforms',
      { ...api, platforms: ['darwin', 'win32'] },
      'off PLUGIN_PLATFORM supports darwin and win32, not linux',
    ],
    ['after', { ...api, after: 'y' }, "broken PLUGIN_API its 'after' must be a list of names"],
    ['needs', { ...api, needs: [1] }, "broken PLUGIN_API its 'needs' must be a list of names"],
    ['platform', { ...api, platforms: 'linux' }, "broken PLUGIN_API its 'platforms' must be a list of names"],
    ['need', { ...api, needs: ['redis'] }, "off PLUGIN_NEEDS requires 'redis', which no plugin provides"],
    [
      'prototype',
      { ...api, needs: ['constructor'] },
      "off PLUGIN_NEEDS requires 'constructor', which no plugin provides",
    ],
    [
      'a getter that throws',
      {
        ...api,
        get name(): string {
          throw new Error('no name')
        },
      },
      'broken PLUGIN_IMPORT cannot be read: no name',
    ],
  ]
  for (const [what, module, expected] of cases) {
    const kernel = testLoader()
    t.strictSame(reasonsByName(await kernel.load(found('x', module))), { x: expected }, what)
    const isBroken = expected.startsWith('broken')
    t.equal(
      kernel.logged.filter(line => line.includes('broken')).length,
      isBroken ? 1 : 0,
      `${what}: broken ones are logged`,
    )
  }
  const twoDefaults = { default: { ...api, setup: () => {} } }
  t.strictSame(
    reasonsByName(await testLoader().load(found('x', twoDefaults))),
    { x: 'active' },
    'CommonJS made from TypeScript',
  )
})

t.test('reports failing imports', async t => {
  const cases: readonly [() => Promise<unknown>, string][] = [
    [never, 'broken PLUGIN_TIMEOUT import timed out after 0.3 s'],
    [() => Promise.reject(new Error('boom')), 'broken PLUGIN_IMPORT import failed: boom'],
    [() => Promise.reject(undefined), 'broken PLUGIN_IMPORT import failed: undefined'],
    [() => Promise.reject(Object.create(null)), 'broken PLUGIN_IMPORT import failed: (unprintable error)'],
    [() => Promise.reject({ message: 'odd' }), 'broken PLUGIN_IMPORT import failed: odd'],
    [() => Promise.reject(new Error('')), 'broken PLUGIN_IMPORT import failed: Error'],
    [
      () => {
        throw new Error('at once')
      },
      'broken PLUGIN_IMPORT import failed: at once',
    ],
    [async () => process.exit(3), 'broken PLUGIN_IMPORT import failed: the plugin called process.exit()'],
  ]
  for (const [load, expected] of cases) {
    t.strictSame(reasonsByName(await testLoader().load(found('x', undefined, { load }))), { x: expected })
  }
})

t.test('imports time out concurrently', async t => {
  const started = performance.now()
  const views = await testLoader().load(
    ...['a', 'b', 'c', 'd', 'e'].map(name => found(name, undefined, { load: never })),
  )
  t.equal(views.filter(({ code }) => code === 'PLUGIN_TIMEOUT').length, 5)
  t.ok(performance.now() - started < 5 * 300, 'side by side')
})

t.test('set-ups share one time limit', async t => {
  const views = await testLoader().load(plugin('a', never), plugin('b', never), plugin('c'), plugin('d', never))
  t.strictSame(
    views.map(({ reason }) => reason),
    ['setup timed out after 0.3 s', 'setup timed out after 0.15 s', null, 'setup timed out after 0.075 s'],
  )
})

t.test('a failed set-up leaves nothing registered', async t => {
  const cases: readonly [string, () => unknown, string][] = [
    [
      'throws',
      () => {
        throw new Error('boom')
      },
      'PLUGIN_SETUP setup failed: boom',
    ],
    ['rejects', () => Promise.reject(new Error('boom')), 'PLUGIN_SETUP setup failed: boom'],
    [
      'throws a text',
      () => {
        throw 'a text'
      },
      'PLUGIN_SETUP setup failed: a text',
    ],
    ['rejects with null', () => Promise.reject(null), 'PLUGIN_SETUP setup failed: null'],
    ['never returns', never, 'PLUGIN_TIMEOUT setup timed out after 0.3 s'],
    ['exits', () => process.exit(1), 'PLUGIN_SETUP setup failed: the plugin called process.exit()'],
    [
      'a thenable that throws',
      () => ({
        // biome-ignore lint/suspicious/noThenProperty: that is the case
        then() {
          throw new Error('in then')
        },
      }),
      'PLUGIN_SETUP setup failed: in then',
    ],
  ]
  for (const [what, end, expected] of cases) {
    const kernel = testLoader()
    const closed: string[] = []
    const bad = found(
      'bad',
      {
        name: 'bad',
        api: 1,
        setup(host: Host) {
          host.service(serviceType('thing'))
          host.feature('vm', { on: true })
          host.check({ id: 'c', title: 'c', run: never })
          host.command({ name: 'c', description: 'c', run: never })
          host.routes('/bad', async () => {})
          host.source({ file: 'Badfile', read: () => undefined })
          host.provide('processTable', noProcessTable)
          host.hooks.booted.tap('bad', () => t.fail('its hooks are dropped'))
          host.onClose(() => void closed.push('first'))
          host.onClose(() => void closed.push('second'))
          return end()
        },
      },
      { types: ['announced'] },
    )
    const good = plugin('good', host => void t.equal(host.has('vm'), false, `${what}: the feature is as before`))
    const views = await kernel.load(bad, good)
    t.strictSame(reasonsByName(views), { bad: `broken ${expected}`, good: 'active' }, what)
    t.strictSame(views[0]?.types, ['announced', 'thing'])
    t.strictSame([views[0]?.features, views[0]?.commands], [[], []])
    t.match(views[0]?.setupMs, Number)
    t.strictSame(closed, ['second', 'first'], `${what}: closed in reverse`)
    const { contributions, container, features } = kernel
    t.strictSame(contributions.typeNames(), [])
    t.strictSame([contributions.checks(), contributions.sources(), contributions.routes()], [[], [], []])
    t.equal(contributions.command('c'), undefined)
    t.equal(container.has('processTable'), false)
    t.equal(features.get('vm').by, 'kernel')
    for (const type of ['thing', 'announced']) {
      t.match(contributions.findType(type), {
        code: 'SERVICE_TYPE_UNSUPPORTED',
        message: `type '${type}' is not available: plugin bad is broken: ${expected.slice(expected.indexOf(' ') + 1)}`,
        plugin: 'bad',
      })
    }
    await kernel.hooks.booted(() => t.fail('no hook fails'))
    await kernel.teardown.run(() => t.fail('nothing is left to close'))
  }
})

t.test('closers of a failed set-up time out', async t => {
  const kernel = testLoader()
  const views = await kernel.load(
    plugin('bad', host => {
      host.onClose(never)
      host.onClose(() => {
        throw new Error('cannot close')
      })
      throw new Error('boom')
    }),
  )
  t.strictSame(reasonsByName(views), { bad: 'broken PLUGIN_SETUP setup failed: boom' })
  t.match(kernel.logged.join('\n'), /closing after the failed setup: cannot close\n.*closing timed out after 1 s/)
})

t.test('logs the plugin whose code runs, in case it never returns', async t => {
  const kernel = testLoader()
  const seen: string[] = []
  const look = () => void seen.push(kernel.logged.at(-1) ?? '')
  await kernel.load(
    plugin('a', look),
    plugin('b', look),
    found('mac', undefined, { platforms: ['darwin'] }),
    found('own', { name: 'own', api: 1, setup: look }, { from: 'built-in' }),
  )
  t.strictSame(seen, ['a: set-up begins', 'b: set-up begins', 'b: set-up begins'])
  t.strictSame(
    kernel.logged.filter(line => line.endsWith('import begins')),
    ['a: import begins', 'b: import begins'],
    'only where code is run',
  )
})

t.test('restores process.exit', async t => {
  const { exit } = process
  await testLoader().load(
    plugin('a', () => process.exit(1)),
    plugin('b', async () => {
      await null
      process.exit(1)
    }),
  )
  t.equal(process.exit, exit)
})
