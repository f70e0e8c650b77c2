import t from 'tap'
import type { Host } from '../../../kernel/contract/plugin.ts'
import { found, plugin, testLoader } from '../../lib/plugin-loader.ts'

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
    const kernel = testLoader({ settings })
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
      'invalid options in config.toml: prot: unknown key; did you mean \'port\'?; mode: must be one of "fast", "safe"; did you mean \'fast\'?',
  })
  t.match(await load({ x: { port: 'hunter2' } }), { reason: /port: must be a whole number$/ })
  t.match(await load({ x: { a: 1 } }, {}), {
    state: 'broken',
    reason: "takes no options, but config.toml sets 'a'",
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
    const kernel = testLoader({ settings, tables: { speed: { port: 5 } } })
    await kernel.load(found('locald-plugin-x', { name: 'locald-plugin-x', api: 1, setup, options }, { table: 'speed' }))
    return given
  }
  t.strictSame(await ofTable({}), { port: 5 }, 'a top-level table that its package announces')
  t.strictSame(await ofTable({ x: { port: 9 } }), { port: 9 }, 'its table below [plugins] counts')
  const short = testLoader({ settings: { x: { port: 9 } } })
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
