import t from 'tap'
import type { Host, Services } from '../../../kernel/contract/plugin.ts'
import type { PluginView } from '../../../kernel/protocol.ts'
import { found, kit, plugin, serviceType } from '../../lib/plugin-loader.ts'

/** State and reason of each, by name. */
function told(views: readonly PluginView[]): Record<string, string> {
  return Object.fromEntries(views.map(({ name, state, reason, code }) => [name, line(state, code, reason)]))
}

function line(...parts: readonly (string | null | undefined)[]): string {
  return parts.filter(part => part !== undefined && part !== null).join(' ')
}

const never = () => new Promise<never>(() => {})
const processTable = (): Services['processTable'] => {
  throw new Error('not made here')
}

t.test('a plugin that works', async t => {
  const kernel = kit()
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

t.test('modules that are no plugin for this machine', async t => {
  const setup = () => t.fail('it is not set up')
  const api = { name: 'x', api: 1, setup }
  const cases: readonly [string, unknown, string][] = [
    ['nothing', undefined, 'broken PLUGIN_API its default export is not a plugin: { name, api, setup }'],
    ['a text', 'plugin', 'broken PLUGIN_API its default export is not a plugin: { name, api, setup }'],
    ['no setup', { name: 'x', api: 1 }, 'broken PLUGIN_API its default export is not a plugin: { name, api, setup }'],
    ['api 2', { ...api, api: 2 }, 'broken PLUGIN_API it is for plugin api 2; this locald has api 1'],
    ['api "1"', { ...api, api: '1' }, 'broken PLUGIN_API it is for plugin api 1; this locald has api 1'],
    [
      'another name',
      { ...api, name: 'y' },
      "broken PLUGIN_API it calls itself 'y'; a plugin's name is that of its package",
    ],
    ['platforms', { ...api, platforms: ['darwin'] }, 'off PLUGIN_PLATFORM it is for darwin; this is linux'],
    [
      'more platforms',
      { ...api, platforms: ['darwin', 'win32'] },
      'off PLUGIN_PLATFORM it is for darwin and win32; this is linux',
    ],
    ['after', { ...api, after: 'y' }, "broken PLUGIN_API its 'after' must be a list of names"],
    ['needs', { ...api, needs: [1] }, "broken PLUGIN_API its 'needs' must be a list of names"],
    ['platform', { ...api, platforms: 'linux' }, "broken PLUGIN_API its 'platforms' must be a list of names"],
    ['need', { ...api, needs: ['redis'] }, "off PLUGIN_NEEDS it needs 'redis', which no plugin provides"],
    [
      'prototype',
      { ...api, needs: ['constructor'] },
      "off PLUGIN_NEEDS it needs 'constructor', which no plugin provides",
    ],
    [
      'a getter that throws',
      {
        ...api,
        get name(): string {
          throw new Error('no name')
        },
      },
      'broken PLUGIN_IMPORT it cannot be read: no name',
    ],
  ]
  for (const [what, module, expected] of cases) {
    const kernel = kit()
    t.strictSame(told(await kernel.load(found('x', module))), { x: expected }, what)
    const isBroken = expected.startsWith('broken')
    t.equal(
      kernel.logged.filter(line => line.includes('broken')).length,
      isBroken ? 1 : 0,
      `${what}: broken ones are told to the log`,
    )
  }
  const twoDefaults = { default: { ...api, setup: () => {} } }
  t.strictSame(told(await kit().load(found('x', twoDefaults))), { x: 'active' }, 'CommonJS made from TypeScript')
})

t.test('imports that fail', async t => {
  const cases: readonly [() => Promise<unknown>, string][] = [
    [never, 'broken PLUGIN_TIMEOUT its import did not end in 300 ms'],
    [() => Promise.reject(new Error('boom')), 'broken PLUGIN_IMPORT it cannot be imported: boom'],
    [() => Promise.reject(undefined), 'broken PLUGIN_IMPORT it cannot be imported: undefined'],
    [
      () => Promise.reject(Object.create(null)),
      'broken PLUGIN_IMPORT it cannot be imported: something that cannot be shown',
    ],
    [() => Promise.reject({ message: 'odd' }), 'broken PLUGIN_IMPORT it cannot be imported: odd'],
    [() => Promise.reject(new Error('')), 'broken PLUGIN_IMPORT it cannot be imported: Error'],
    [
      () => {
        throw new Error('at once')
      },
      'broken PLUGIN_IMPORT it cannot be imported: at once',
    ],
    [async () => process.exit(3), 'broken PLUGIN_IMPORT it cannot be imported: it called process.exit()'],
  ]
  for (const [load, expected] of cases) {
    t.strictSame(told(await kit().load(found('x', undefined, { load }))), { x: expected })
  }
})

t.test('several imports that hang cost the time of one', async t => {
  const started = performance.now()
  const views = await kit().load(...['a', 'b', 'c', 'd', 'e'].map(name => found(name, undefined, { load: never })))
  t.equal(views.filter(({ code }) => code === 'PLUGIN_TIMEOUT').length, 5)
  t.ok(performance.now() - started < 5 * 300, 'side by side')
})

t.test('set-ups that hang do not add up', async t => {
  const views = await kit().load(plugin('a', never), plugin('b', never), plugin('c'), plugin('d', never))
  t.strictSame(
    views.map(({ reason }) => reason),
    ['its set-up did not end in 300 ms', 'its set-up did not end in 150 ms', null, 'its set-up did not end in 75 ms'],
  )
})

t.test('set-ups that fail leave nothing behind', async t => {
  const cases: readonly [string, () => unknown, string][] = [
    [
      'throws',
      () => {
        throw new Error('boom')
      },
      'PLUGIN_SETUP its set-up failed: boom',
    ],
    ['rejects', () => Promise.reject(new Error('boom')), 'PLUGIN_SETUP its set-up failed: boom'],
    [
      'throws a text',
      () => {
        throw 'a text'
      },
      'PLUGIN_SETUP its set-up failed: a text',
    ],
    ['rejects with null', () => Promise.reject(null), 'PLUGIN_SETUP its set-up failed: null'],
    ['never ends', never, 'PLUGIN_TIMEOUT its set-up did not end in 300 ms'],
    ['exits', () => process.exit(1), 'PLUGIN_SETUP its set-up failed: it called process.exit()'],
    [
      'a thenable that throws',
      () => ({
        // biome-ignore lint/suspicious/noThenProperty: that is the case
        then() {
          throw new Error('in then')
        },
      }),
      'PLUGIN_SETUP its set-up failed: in then',
    ],
  ]
  for (const [what, end, expected] of cases) {
    const kernel = kit()
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
          host.provide('processTable', processTable)
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
    t.strictSame(told(views), { bad: `broken ${expected}`, good: 'active' }, what)
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

t.test('closers of a set-up that failed are themselves limited', async t => {
  const kernel = kit()
  const views = await kernel.load(
    plugin('bad', host => {
      host.onClose(never)
      host.onClose(() => {
        throw new Error('cannot close')
      })
      throw new Error('boom')
    }),
  )
  t.strictSame(told(views), { bad: 'broken PLUGIN_SETUP its set-up failed: boom' })
  t.match(kernel.logged.join('\n'), /closing after its set-up failed: cannot close\n.*did not close in 1000 ms/)
})

t.test('what is declared wrongly is told in set-up', async t => {
  // As a JavaScript plugin would: without types.
  const odd = (declare: (host: Record<keyof Host, (...given: unknown[]) => void>) => void) =>
    found('odd', { name: 'odd', api: 1, setup: declare })
  const start = () => {}
  const shape = { schema: { type: 'object' } }
  const type = { type: 'thing', shape, start }
  const cases: readonly [Parameters<typeof odd>[0], RegExp][] = [
    [host => host.service(undefined), /service\(\) needs an object/],
    [host => host.service({ ...type, type: 'My Thing' }), /name is lower-case letters/],
    [host => host.service({ ...type, shape: undefined }), /'thing' has no shape/],
    [host => host.service({ ...type, start: undefined }), /'thing' has no function start\(\)/],
    [host => host.service({ ...type, reset: 1 }), /'thing' has no function reset\(\)/],
    [host => host.service({ ...type, network: 'all' }), /network is web, port or none/],
    [host => host.service({ ...type, reach: 'moon' }), /reach is host or guest/],
    [
      host => host.service({ ...type, requires: ['Container'] }),
      /a feature's name is 'name' or 'plugin:name', not 'Container'/,
    ],
    [host => host.service({ ...type, requires: 'vm' }), /requires is a list/],
    [host => host.feature('a:b:c', { on: true }), /a feature's name is .* not 'a:b:c'/],
    [host => host.feature('vm', { on: 'yes' }), /on is true or false/],
    [host => host.feature('vm', { on: false }), /'vm' is off without a reason/],
    [host => host.check({ id: 'a', title: 'b' }), /check 'a' has no function run\(\)/],
    [host => host.check({ run: start }), /has an id and a title/],
    [host => host.command({ name: 'Do It', description: 'd', run: start }), /command's name is words/],
    [host => host.command({ name: 'do', run: start }), /'do' has no description/],
    [host => host.routes('things', start), /a prefix of routes is a path/],
    [host => host.routes('/things/', start), /without a slash at its end/],
    [host => host.routes('/things', {}), /are a fastify plugin/],
    [host => host.source({ file: '../x', read: start }), /a source's file is a name/],
    [host => host.source({ file: 'x' }), /source 'x' has no function read\(\)/],
    [host => host.provide('x', 1), /provide\('x'\) needs a function/],
    [host => host.provide('', start), /has a name/],
    [host => host.provide('x', start, 1), /close is a function/],
    [host => host.onClose(1), /onClose\(\) needs a function/],
    [host => Reflect.get(host.use, 'catalog'), /uses 'catalog' in setup\(\)/],
  ]
  for (const [declare, expected] of cases) {
    const [view] = await kit().load(odd(declare))
    t.match(view, { state: 'broken', code: 'PLUGIN_SETUP', reason: expected })
  }
})

t.test('a third-party plugin registers a flag that another requires', async t => {
  const kernel = kit()
  const cuda = { on: true, title: 'CUDA' }
  const [view] = await kernel.load(
    plugin('locald-plugin-gpu', host => host.feature('gpu:cuda', cuda)),
    plugin('locald-plugin-model', host => {
      t.equal(host.has('gpu:cuda'), true)
      host.service(serviceType('model', { requires: ['gpu:cuda'] }))
      host.service(serviceType('typo', { requires: ['gpu:cida'] }))
    }),
  )
  t.strictSame(view?.features, ['gpu:cuda'])
  t.match(kernel.contributions.findType('model'), { type: 'model' })
  t.match(kernel.contributions.findType('typo'), {
    code: 'SERVICE_TYPE_UNSUPPORTED',
    message: "type 'typo' is not available: no plugin registers the feature 'gpu:cida'",
    hint: "Did you mean 'gpu:cuda'?",
  })
  t.strictSame(
    kernel.contributions.checks().map(({ owner, it }) => [owner, it.id, it.title]),
    [['locald-plugin-gpu', 'gpu:cuda', 'CUDA']],
  )
})

t.test('declarations after set-up are refused', async t => {
  const late: (() => void)[] = []
  const kernel = kit()
  const keep = (end: () => void | Promise<void>) => (host: Host) => {
    late.push(
      () => host.service(serviceType('late')),
      () => host.feature('vm', { on: true }),
      () => host.check({ id: 'a', title: 'a', run: never }),
      () => host.command({ name: 'a', description: 'a', run: never }),
      () => host.routes('/a', async () => {}),
      () => host.source({ file: 'a', read: () => undefined }),
      () => host.provide('processTable', processTable),
      () => host.onClose(() => {}),
      () => host.hooks.ready.tap('late', () => {}),
      () => host.hooks.env.tapPromise('late', async env => env),
    )
    return end()
  }
  await kernel.load(
    plugin(
      'good',
      keep(() => {}),
    ),
    plugin('bad', keep(never)),
  )
  t.equal(late.length, 20)
  for (const declare of late)
    t.throws(declare, { code: 'PLUGIN_SETUP', message: /declares something after its set-up/ })
  t.strictSame(kernel.contributions.typeNames(), [])
  t.equal(kernel.features.has('vm'), false)
})

t.test('names that are taken', async t => {
  const kernel = kit()
  const first = plugin('first', host => {
    host.service(serviceType('thing', { isDefault: true }))
    host.command({ name: 'thing', description: 'a', run: never })
    host.routes('/thing', async () => {})
    host.provide('processTable', processTable)
  })
  const views = await kernel.load(
    first,
    plugin('type', host => host.service(serviceType('thing'))),
    plugin('default', host => host.service(serviceType('other', { isDefault: true }))),
    plugin('command', host => host.command({ name: 'thing', description: 'a', run: never })),
    plugin('routes', host => {
      host.service(serviceType('with-routes'))
      host.routes('/thing', async () => {})
    }),
    plugin('service', host => {
      host.service(serviceType('with-service'))
      host.provide('processTable', processTable)
    }),
    plugin('twice', host => {
      host.service(serviceType('two'))
      host.service(serviceType('two'))
    }),
    plugin('defaults', host => {
      host.service(serviceType('one', { isDefault: true }))
      host.service(serviceType('two', { isDefault: true }))
    }),
    plugin('provides', host => {
      host.provide('desktop', () => ({ openArgv: () => ['true'] }))
      host.provide('desktop', () => ({ openArgv: () => ['true'] }))
    }),
    found('first', { name: 'first', api: 1, setup: () => t.fail('not set up') }),
  )
  t.strictSame(
    views.map(({ name, state, code, reason }) => line(name, state, code, reason)),
    [
      'first active',
      "type broken PLUGIN_CONFLICT it registers service type 'thing', and so does plugin first",
      'default broken PLUGIN_CONFLICT it registers default service type, and so does plugin first',
      "command broken PLUGIN_CONFLICT it registers command 'thing', and so does plugin first",
      "routes broken PLUGIN_CONFLICT it registers routes '/thing', and so does plugin first",
      "service broken PLUGIN_CONFLICT it provides 'processTable', and so does first",
      "twice broken PLUGIN_CONFLICT it registers service type 'two' twice",
      'defaults broken PLUGIN_CONFLICT it registers default service type, and so does plugin first',
      "provides broken PLUGIN_CONFLICT it provides 'desktop' twice",
      'first broken PLUGIN_CONFLICT another plugin has this name',
    ],
  )
  t.strictSame(kernel.contributions.typeNames(), ['thing'], 'nothing of a plugin in conflict is kept')
  t.equal(kernel.contributions.defaultType, 'thing')
  t.equal(kernel.container.has('desktop'), false)
  t.strictSame(kernel.contributions.findType('thing'), kernel.contributions.findType('thing'))
  t.equal(
    Reflect.get(kernel.contributions.findType('thing'), 'type'),
    'thing',
    'the type is there, though others lost it',
  )
})

t.test('order', async t => {
  const order = async (
    ...plugins: readonly [string, { after?: string[]; needs?: string[]; provides?: string[] }][]
  ) => {
    const taken: string[] = []
    const views = await kit().load(
      ...plugins.map(([name, { provides = [], ...more }]) => {
        const setup = (host: { provide(name: string, make: () => unknown): void }) => {
          taken.push(name)
          for (const service of provides) host.provide(service, () => ({}))
        }
        return found(name, { name, api: 1, setup, ...more })
      }),
    )
    t.strictSame(
      views.map(({ name }) => name),
      plugins.map(([name]) => name),
      'the list keeps the order they were found in',
    )
    return taken.join(' ')
  }
  t.equal(await order(['a', {}], ['b', {}], ['c', {}]), 'a b c')
  t.equal(await order(['a', { after: ['c'] }], ['b', {}], ['c', {}]), 'b c a')
  t.equal(await order(['a', { after: ['c', 'absent'] }], ['b', { after: ['a'] }], ['c', {}]), 'c a b')
  t.equal(
    await order(['a', { after: ['b'] }], ['b', { after: ['a'] }], ['c', {}]),
    'c a b',
    'a circle is cut at its first',
  )
  t.equal(await order(['a', { after: ['a'] }]), 'a', 'nobody follows himself')
  t.equal(await order(['a', { needs: ['x'] }], ['b', { provides: ['x'] }]), 'b a')
  t.equal(
    await order(['a', { needs: ['y'] }], ['b', { needs: ['x'], provides: ['y'] }], ['c', { provides: ['x'] }]),
    'c b a',
    'a chain of needs',
  )
  t.equal(
    await order(['a', { after: ['b'] }], ['b', { needs: ['x'] }], ['c', { provides: ['x'] }]),
    'c b a',
    'who follows one that waits, waits too',
  )
  t.equal(
    await order(['d', { after: ['a'] }], ['a', { after: ['b'] }], ['b', { needs: ['x'] }]),
    'a d',
    'but not for one that waits in vain',
  )
  t.equal(
    await order(['a', { needs: ['y'], provides: ['x'] }], ['b', { needs: ['x'], provides: ['y'] }]),
    '',
    'a circle of needs',
  )
})

t.test('a need that a broken plugin would have met', async t => {
  const views = await kit().load(
    plugin('user', () => void t.fail('it is not set up'), { needs: ['processTable', 'web'] }),
    plugin('provider', host => {
      host.provide('processTable', processTable)
      throw new Error('boom')
    }),
  )
  t.strictSame(told(views), {
    user: "off PLUGIN_NEEDS it needs 'processTable', 'web', which no plugin provides",
    provider: 'broken PLUGIN_SETUP its set-up failed: boom',
  })
})

t.test('before any code runs', async t => {
  const load = () => {
    t.fail('its code is not touched')
    return never()
  }
  const kernel = kit({ settings: { off: { enabled: false }, odd: { enabled: 'no' } } })
  const views = await kernel.load(
    found('off', undefined, { load, types: ['thing'] }),
    found('odd', undefined, { load }),
    found('mac', undefined, { load, platforms: ['darwin'], types: ['mac-thing'] }),
    found('nowhere', undefined, { load, platforms: [] }),
  )
  t.strictSame(told(views), {
    off: 'off turned off in config.toml',
    odd: "broken PLUGIN_SETUP 'enabled' in config.toml must be true or false",
    mac: 'off PLUGIN_PLATFORM it is for darwin; this is linux',
    nowhere: 'off PLUGIN_PLATFORM it is for no platform; this is linux',
  })
  t.strictSame(views[0]?.types, ['thing'])
  t.equal(views[0]?.setupMs, null)
  t.match(kernel.contributions.findType('thing'), {
    message: "type 'thing' is not available: plugin off is off: turned off in config.toml",
    hint: /`enabled = false` out of \[plugins\.off\] in \/config\/config\.toml/,
  })
  t.match(kernel.contributions.findType('mac-thing'), {
    message: "type 'mac-thing' is not available: plugin mac is off: it is for darwin; this is linux",
  })
  const darwin = kit({ facts: { os: 'darwin' } })
  t.strictSame(told(await darwin.load(plugin('mac', () => {}, { platforms: ['darwin'] }))), { mac: 'active' }, 'a fact')
})

t.test('options', async t => {
  const options = {
    schema: {
      type: 'object',
      properties: { port: { type: 'integer', default: 7 }, mode: { enum: ['fast', 'safe'] } },
      additionalProperties: false,
    },
  } as const
  const load = async (settings: Record<string, unknown>, more: object = { options }) => {
    let given: unknown
    const setup = (host: { options: unknown }) => {
      given = host.options
    }
    const kernel = kit({ settings })
    const [view] = await kernel.load(found('locald-plugin-x', { name: 'locald-plugin-x', api: 1, setup, ...more }))
    return { ...view, given, logged: kernel.logged }
  }
  t.strictSame((await load({})).given, { port: 7 }, 'defaults')
  t.strictSame((await load({ 'locald-plugin-x': { enabled: true, port: 8 } })).given, { port: 8 })
  t.strictSame((await load({ x: { port: 9 } })).given, { port: 9 }, 'the short name')
  t.strictSame(
    (await load({ x: { port: 9 }, 'locald-plugin-x': { port: 8 } })).given,
    { port: 8 },
    'the full one counts',
  )
  t.strictSame((await load({ x: '^1.2' })).given, { port: 7 }, 'a range of versions is for projects')
  t.match(await load({ x: { prot: 'secret', mode: 'fats' } }), {
    state: 'broken',
    code: 'PLUGIN_SETUP',
    reason:
      'its options in config.toml are wrong: prot: unknown key; did you mean \'port\'?; mode: must be one of "fast", "safe"; did you mean \'fast\'?',
  })
  t.match(await load({ x: { port: 'hunter2' } }), { reason: /port: must be a whole number$/ })
  t.match(await load({ x: { a: 1 } }, {}), {
    state: 'broken',
    reason: "it has no options, and config.toml gives it 'a'",
  })
  t.match(await load({ x: {} }, { options: { schema: { type: 'nonsense' } } }), {
    state: 'broken',
    code: 'PLUGIN_SETUP',
    reason: /^the schema of its options is broken: /,
  })
  const ofTable = async (settings: Record<string, unknown>) => {
    let given: unknown
    const setup = (host: Host) => {
      given = host.options
    }
    const kernel = kit({ settings, tables: { speed: { port: 5 } } })
    await kernel.load(found('locald-plugin-x', { name: 'locald-plugin-x', api: 1, setup, options }, { table: 'speed' }))
    return given
  }
  t.strictSame(await ofTable({}), { port: 5 }, 'a top-level table that its package announces')
  t.strictSame(await ofTable({ x: { port: 9 } }), { port: 9 }, 'its table below [plugins] counts')
  const short = kit({ settings: { x: { port: 9 } } })
  const withOptions = { options } as const
  const both = await short.load(
    plugin('locald-plugin-x', () => {}),
    plugin('x', () => {}, withOptions),
  )
  t.match(both, [{ state: 'active' }, { state: 'active' }], 'a short name that is a plugin is that one’s')
  t.match((await load({ 'locald-plugin-y': { a: 1 } })).logged.slice(-1), [
    "kernel: config.toml has [plugins.locald-plugin-y], and there is no such plugin; did you mean 'locald-plugin-x'?",
  ])
})

t.test('the log says whose code runs, in case it never returns', async t => {
  const kernel = kit()
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

t.test('exit is given back', async t => {
  const { exit } = process
  await kit().load(
    plugin('a', () => process.exit(1)),
    plugin('b', async () => {
      await null
      process.exit(1)
    }),
  )
  t.equal(process.exit, exit)
})
