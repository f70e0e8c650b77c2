import t from 'tap'
import type { Host, Services } from '../../../kernel/contract/plugin.ts'

import { found, plugin, serviceType, testLoader } from '../../lib/plugin-loader.ts'

function line(...parts: readonly (string | null | undefined)[]): string {
  return parts.filter(part => part !== undefined && part !== null).join(' ')
}

const never = () => new Promise<never>(() => {})

const processTable = (): Services['processTable'] => {
  throw new Error('not made here')
}

t.test('reports invalid declarations during set-up', async t => {
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
    [host => host.service({ ...type, ports: [80] }), /'thing' has no function ports\(\)/],
    [host => host.service({ ...type, hostName: 'host.internal' }), /hostName is for types with reach 'guest'/],
    [host => host.service({ ...type, guestPort: start }), /guestPort is for types with reach 'guest'/],
    [host => host.service({ ...type, reach: 'guest', hostName: 1 }), /hostName is a text/],
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
    [host => host.topic({ name: 'My topic', open: start }), /a topic's name is/],
    [host => host.topic({ name: 'logs', open: start }), /'logs' is a topic of locald itself/],
    [host => host.topic({ name: 'news' }), /topic 'news' has no function open\(\)/],
    [host => host.source({ file: '../x', read: start }), /a source's file is a name/],
    [host => host.source({ files: [], detect: start }), /a detector's files are names/],
    [host => host.source({ files: ['x'], detect: 1 }), /the detector has no function detect\(\)/],
    [host => host.source({ file: 'x' }), /source 'x' has no function read\(\)/],
    [host => host.provide('x', 1), /provide\('x'\) needs a function/],
    [host => host.provide('', start), /has a name/],
    [host => host.provide('x', start, 1), /close is a function/],
    [host => host.onClose(1), /onClose\(\) needs a function/],
    [host => Reflect.get(host.use, 'catalog'), /service 'catalog' used in setup\(\)/],
  ]
  for (const [declare, expected] of cases) {
    const [view] = await testLoader().load(odd(declare))
    t.match(view, { state: 'broken', code: 'PLUGIN_SETUP', reason: expected })
  }
})

t.test('a third-party plugin registers a flag that another requires', async t => {
  const kernel = testLoader()
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

t.test('rejects declarations after set-up', async t => {
  const late: (() => void)[] = []
  const kernel = testLoader()
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
  for (const declare of late) t.throws(declare, { code: 'PLUGIN_SETUP', message: /declares something after setup()/ })
  t.strictSame(kernel.contributions.typeNames(), [])
  t.equal(kernel.features.has('vm'), false)
})

t.test('rejects names in use', async t => {
  const kernel = testLoader()
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
      "type broken PLUGIN_CONFLICT service type 'thing' is already registered by plugin first",
      'default broken PLUGIN_CONFLICT default service type is already registered by plugin first',
      "command broken PLUGIN_CONFLICT command 'thing' is already registered by plugin first",
      "routes broken PLUGIN_CONFLICT routes '/thing' is already registered by plugin first",
      "service broken PLUGIN_CONFLICT 'processTable' is already provided by first",
      "twice broken PLUGIN_CONFLICT service type 'two' is registered twice",
      'defaults broken PLUGIN_CONFLICT default service type is already registered by plugin first',
      "provides broken PLUGIN_CONFLICT 'desktop' is provided twice",
      'first broken PLUGIN_CONFLICT another plugin has the same name',
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
