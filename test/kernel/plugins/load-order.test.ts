import t from 'tap'
import { found, never, noProcessTable, plugin, reasonsByName, testLoader } from '../../lib/plugin-loader.ts'

t.test('order', async t => {
  const order = async (
    ...plugins: readonly [string, { after?: string[]; needs?: string[]; provides?: string[] }][]
  ) => {
    const taken: string[] = []
    const views = await testLoader().load(
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
  t.equal(await order(['a', { after: ['a'] }]), 'a', 'no plugin follows itself')
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
    'but not for one with unmet needs',
  )
  t.equal(
    await order(['a', { needs: ['y'], provides: ['x'] }], ['b', { needs: ['x'], provides: ['y'] }]),
    '',
    'a circle of needs',
  )
})

t.test('reports a requirement that a broken plugin would have met', async t => {
  const views = await testLoader().load(
    plugin('user', () => void t.fail('it is not set up'), { needs: ['processTable', 'web'] }),
    plugin('provider', host => {
      host.provide('processTable', noProcessTable)
      throw new Error('boom')
    }),
  )
  t.strictSame(reasonsByName(views), {
    user: "off PLUGIN_NEEDS requires 'processTable', 'web', which no plugin provides",
    provider: 'broken PLUGIN_SETUP setup failed: boom',
  })
})

t.test('rejects plugins before running their code', async t => {
  const load = () => {
    t.fail('its code is not touched')
    return never()
  }
  const kernel = testLoader({ settings: { off: { enabled: false }, odd: { enabled: 'no' } } })
  const views = await kernel.load(
    found('off', undefined, { load, types: ['thing'] }),
    found('odd', undefined, { load }),
    found('mac', undefined, { load, platforms: ['darwin'], types: ['mac-thing'] }),
    found('nowhere', undefined, { load, platforms: [] }),
  )
  t.strictSame(reasonsByName(views), {
    off: 'off disabled in config.toml',
    odd: "broken PLUGIN_SETUP 'enabled' in config.toml must be true or false",
    mac: 'off PLUGIN_PLATFORM supports darwin, not linux',
    nowhere: 'off PLUGIN_PLATFORM supports no platform, not linux',
  })
  t.strictSame(views[0]?.types, ['thing'])
  t.equal(views[0]?.setupMs, null)
  t.match(kernel.contributions.findType('thing'), {
    message: "type 'thing' is not available: plugin off is off: disabled in config.toml",
    hint: /`enabled = false` from \[plugins\.off\] in \/config\/config\.toml/,
  })
  t.match(kernel.contributions.findType('mac-thing'), {
    message: "type 'mac-thing' is not available: plugin mac is off: supports darwin, not linux",
  })
  const darwin = testLoader({ facts: { os: 'darwin' } })
  t.strictSame(
    reasonsByName(await darwin.load(plugin('mac', () => {}, { platforms: ['darwin'] }))),
    { mac: 'active' },
    'a fact',
  )
})
