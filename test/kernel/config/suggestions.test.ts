import t from 'tap'
import { commonKeyNames } from '../../../kernel/config/fields/service-keys.ts'
import { aliases, meantKey } from '../../../kernel/config/fields/suggestions.ts'

/** A key of the types that run shell commands. */
const known = [...commonKeyNames, 'command']

t.test('suggests an existing key for the names that other tools have', async t => {
  for (const [alias, key] of Object.entries(aliases)) {
    t.ok(known.includes(key), `${key} is a key`)
    t.equal(meantKey(alias, known), key)
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
