import t from 'tap'
import { compilePluginSchema, defaultsOf } from '../../kernel/config/fields/plugin-schema.ts'
import type { Plugin } from '../../kernel/contract/plugin.ts'
import builtIns from '../../plugins/index.ts'

t.test('options of built-in plugins without a table are those that their compiled schemas give', async t => {
  let compared = 0
  for (const { name, load } of builtIns) {
    const { options } = pluginOf(await load())
    if (options === undefined) continue
    const filledIn = {}
    t.ok(compilePluginSchema(options.schema)(filledIn), `${name}: valid`)
    t.strictSame(defaultsOf(options.schema), filledIn, name)
    compared++
  }
  t.not(compared, 0)
})

function pluginOf(module: unknown): Plugin {
  const { default: plugin } = Object.assign({ default: undefined }, module)
  if (plugin === undefined) throw new Error('the module has no default export')
  return plugin
}
