import t from 'tap'
import { aliases, meantKey } from '../../../../kernel/config/fields/suggestions.ts'
import { commandKeys } from '../../../../kernel/config/tables/commands.ts'
import { commonKeyNames } from '../../../../kernel/config/tables/service-keys.ts'

/** A key of the types that run shell commands. */
const known = [...commonKeyNames, 'command']

t.test('suggests an existing key for the names that other tools have', async t => {
  const tables = [known, Object.keys(commandKeys)]
  for (const [alias, key] of Object.entries(aliases)) {
    const keys = tables.find(each => each.includes(key)) ?? []
    t.ok(keys.includes(key), `${key} is a key`)
    t.equal(meantKey(alias, keys), key)
  }
})

t.test('suggests a key for camel case, kebab case, its start and a misspelling', async t => {
  const cases: Readonly<Record<string, string | undefined>> = {
    dependsOn: 'depends_on',
    'stop-signal': 'stop_signal',
    health: 'health_check',
    ready: 'ready_timeout',
    prot: 'port',
    watch_files: 'watch',
    zzzzzzzz: undefined,
  }
  for (const [word, key] of Object.entries(cases)) t.equal(meantKey(word, known), key, word)
})
