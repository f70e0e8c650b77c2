import t from 'tap'
import type { Services } from '../../../kernel/contract/plugin.ts'
import { LocaldError } from '../../../kernel/errors.ts'
import { Container } from '../../../kernel/plugins/container.ts'
import { Contributions } from '../../../kernel/plugins/contributions.ts'
import type { Draft } from '../../../kernel/plugins/draft.ts'
import { Features } from '../../../kernel/plugins/features.ts'
import { makeHooks } from '../../../kernel/plugins/hooks.ts'
import { Teardown } from '../../../kernel/plugins/teardown.ts'
import { type Desktop, serviceType } from '../../lib/plugin-loader.ts'

function draft(more: Partial<Draft>): Draft {
  const hooks = makeHooks(() => {})
  const names = {
    tables: [],
    variables: [],
    urls: [],
    shares: [],
    reserved: [],
    ports: [],
    openers: [],
    warnings: [],
    reports: [],
    disks: [],
    statuses: [],
    topics: [],
  }
  const own = { types: [], sources: [], checks: [], commands: [], routes: [], provisions: [], closers: [], hooks }
  return { ...own, ...names, ...more }
}

const never = () => new Promise<never>(() => {})

t.test('a titled flag without a check gets one', async t => {
  const features = new Features()
  const all = new Contributions(features)
  features.set('vm', { on: true }, 'platform')
  features.set('gpu:cuda', { on: false, reason: 'there is no driver', hint: 'Install it.', title: 'CUDA' }, 'gpu')
  features.set('gpu:metal', { on: true, title: 'Metal' }, 'gpu')
  features.set('gpu:fpga', { on: false, reason: 'not on this machine', title: 'FPGA' }, 'gpu')
  const own = { id: 'gpu:metal', title: 'Metal', run: never }
  all.commit('gpu', draft({ checks: [own] }))
  const checks = all.checks()
  t.strictSame(
    checks.map(({ owner, it }) => [owner, it.id]),
    [
      ['gpu', 'gpu:metal'],
      ['gpu', 'gpu:cuda'],
      ['gpu', 'gpu:fpga'],
    ],
  )
  t.equal(checks[0]?.it, own)
  t.strictSame(await checks[1]?.it.run(), {
    status: 'warn',
    severity: 'optional',
    summary: 'CUDA: there is no driver',
    fix: 'Install it.',
  })
  t.match(await checks[2]?.it.run(), { status: 'skip', summary: 'FPGA: not on this machine' })
})

t.test('a type is looked up in order', async t => {
  const features = new Features()
  const all = new Contributions(features)
  const container = serviceType('container', { requires: ['containers', 'vm'] })
  const exec = serviceType('exec', { isDefault: true })
  all.commit('own', draft({ types: [exec, container] }))
  all.markUnavailable(
    'locald-plugin-redis',
    ['redis', 'exec'],
    'plugin locald-plugin-redis is off: turned off',
    'Turn it on.',
  )
  all.markUnavailable('other', ['redis'], 'never seen', 'never seen')

  t.equal(all.findType('exec'), exec, 'first the registered ones')
  t.equal(all.defaultType, 'exec')
  features.set('containers', { on: false, reason: 'Lima is not installed', hint: 'Install it.' }, 'platform')
  t.strictSame(json(all.findType('container')), {
    code: 'SERVICE_TYPE_UNSUPPORTED',
    message: "type 'container' is not available: Lima is not installed",
    hint: 'Install it.',
    plugin: 'own',
  })
  features.set('containers', { on: true }, 'platform')
  t.match(
    json(all.findType('container')),
    { message: /: no plugin registers the feature 'vm'$/ },
    'each feature counts',
  )
  features.set('vm', { on: true }, 'platform')
  t.equal(all.findType('container'), container)
  t.strictSame(json(all.findType('redis')), {
    code: 'SERVICE_TYPE_UNSUPPORTED',
    message: "type 'redis' is not available: plugin locald-plugin-redis is off: turned off",
    hint: 'Turn it on.',
    plugin: 'locald-plugin-redis',
  })
  t.match(json(all.findType('contianer')), { message: /no plugin provides it; did you mean 'container'\?$/ })
  t.match(json(all.findType('redsi')), { message: /did you mean 'redis'\?$/ }, 'suggests types of plugins that are off')
  t.match(json(all.findType('elasticsearch')), { hint: /^Use one of: exec, container\. Run `locald plugins list`/ })
  t.match(json(all.findType('constructor')), { hint: /^Use one of: / }, 'no name of a prototype')
  t.equal(new Contributions(features).defaultType, '')
})

function json(value: unknown): unknown {
  return LocaldError.is(value) ? value.toJSON() : value
}

t.test('lists registrations with their owner', async t => {
  const all = new Contributions(new Features())
  const check = { id: 'a', title: 'a', run: never }
  const command = { name: 'a b', description: 'a', run: never }
  const source = { file: 'Procfile', read: () => undefined }
  const routes = { prefix: '/a', plugin: async () => {} }
  all.commit(
    'a',
    draft({ types: [serviceType('x')], checks: [check], commands: [command], sources: [source], routes: [routes] }),
  )
  all.commit('b', draft({ types: [serviceType('y')], checks: [check] }))
  t.strictSame(all.typeNames(), ['x', 'y'])
  t.strictSame(all.checks(), [
    { owner: 'a', it: check },
    { owner: 'b', it: check },
  ])
  t.equal(all.command('a b'), command)
  t.equal(all.command('toString'), undefined)
  t.strictSame(all.sources(), [source])
  t.strictSame(all.routes(), [{ ...routes, owner: 'a' }])
  t.strictSame(
    [all.of('a'), all.of('b'), all.of('c')],
    [
      { types: ['x'], commands: ['a b'] },
      { types: ['y'], commands: [] },
      { types: [], commands: [] },
    ],
  )
})

t.test('the container', async t => {
  const desktop = (...argv: readonly string[]): Desktop => ({ openArgv: () => argv })
  const web = (url: string): Services['web'] => ({ url: () => url, http: null, https: null })

  await t.test('makes each service once, at its first use, and closes in reverse', async t => {
    const teardown = new Teardown()
    const container = new Container(teardown)
    const seen: string[] = []
    const close = (name: string) => async () => void seen.push(`close ${name}`)
    container.provide(
      'b',
      'web',
      use => {
        seen.push('make web')
        return web(use.desktop.openArgv('').join(' '))
      },
      close('web'),
    )
    container.provide(
      'a',
      'desktop',
      () => {
        seen.push('make desktop')
        return desktop('open')
      },
      close('desktop'),
    )
    container.provide(
      'c',
      'processTable',
      () => {
        throw new Error('never asked for')
      },
      close('processTable'),
    )
    t.strictSame(seen, [], 'nothing is made before')
    t.equal(container.use.web.url(''), 'open')
    t.equal(container.use.web, container.use.web)
    await teardown.run(() => t.fail('closing does not fail'))
    t.strictSame(seen, ['make web', 'make desktop', 'close web', 'close desktop'], 'what was made last is closed first')
  })

  await t.test('returns values of the kernel, rejects unknown names', async t => {
    const container = new Container(new Teardown())
    const own = desktop('own')
    container.value('desktop', own)
    t.equal(container.use.desktop, own)
    t.equal(container.optional('desktop'), own)
    t.equal(container.optional('web'), undefined)
    t.strictSame([container.has('desktop'), container.has('web'), container.has('toString')], [true, false, false])
    t.throws(() => container.use.web, { code: 'PLUGIN_NEEDS', message: "no plugin provides 'web'" })
    t.throws(() => Reflect.get(container.use, 'toString'), { code: 'PLUGIN_NEEDS' })
    t.throws(() => container.provide('x', 'desktop', () => own), {
      code: 'PLUGIN_CONFLICT',
      plugin: 'x',
      message: "'desktop' is already provided by kernel",
    })
  })

  await t.test('a failing factory names its plugin and can be retried', async t => {
    const container = new Container(new Teardown())
    let tries = 0
    container.provide('a', 'desktop', () => {
      if (++tries === 1) throw new Error('boom')
      return desktop('open')
    })
    container.provide('b', 'web', use => web(use.desktop.openArgv('').join()))
    t.throws(() => container.use.web, {
      code: 'PLUGIN_SETUP',
      plugin: 'a',
      message: "plugin a cannot make 'desktop': boom",
    })
    t.equal(container.use.web.url(''), 'open')
    t.equal(tries, 2)
  })

  await t.test('reports a circle', async t => {
    const container = new Container(new Teardown())
    container.provide('a', 'desktop', use => desktop(use.web.url('')))
    container.provide('b', 'web', use => web(use.desktop.openArgv('').join()))
    t.throws(() => container.use.web, { code: 'PLUGIN_SETUP', message: /Cyclic dependencies/ })
  })
})

t.test('teardown', async t => {
  const teardown = new Teardown(50)
  const seen: string[] = []
  const failed: string[] = []
  teardown.add('a', () => void seen.push('first'))
  teardown.add('b', () => {
    throw new Error('boom')
  })
  teardown.add('c', () => Promise.reject('a text'))
  teardown.add('d', never)
  teardown.add('e', async () => {
    await new Promise(setImmediate)
    seen.push('last')
    teardown.add('f', () => void seen.push('added meanwhile'))
  })
  await teardown.run((owner, reason) => failed.push(`${owner}: ${reason}`))
  t.strictSame(seen, ['last', 'added meanwhile', 'first'])
  t.strictSame(failed, ['d: closing timed out after 0.05 s', 'c: a text', 'b: boom'])
  await teardown.run(() => t.fail('each is closed once'))
  for (const name of ['a', 'b', 'c']) teardown.add(name, never)
  const late: string[] = []
  await teardown.run((owner, reason) => late.push(`${owner}: ${reason}`))
  t.strictSame(late, [
    'c: closing timed out after 0.05 s',
    'b: closing timed out after 0.025 s',
    'a: closing timed out after 0.013 s',
  ])
})
