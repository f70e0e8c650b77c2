import t from 'tap'
import { suggestSubcommand } from '../../../plugins/lib/suggest.ts'

t.test('suggests the nearest subcommand, and none where that one deletes something', async t => {
  const db = ['list', 'snapshot', 'restore', 'branch', 'drop', 'prune', 'upgrade']
  const container = ['engine', 'ls', 'prune', 'run']
  const suggest = (word: string, names: readonly string[]) => suggestSubcommand(word, names, ['drop', 'prune'])
  t.equal(suggest('snapshots', db), "Did you mean 'snapshot'?")
  t.equal(suggest('lst', db), "Did you mean 'list'?")
  t.equal(suggest('branhc', db), "Did you mean 'branch'?")
  for (const word of ['drp', 'prun', 'purne', 'frobnicate']) t.equal(suggest(word, db), undefined, word)
  t.equal(suggest('engin', container), "Did you mean 'engine'?")
  t.equal(suggest('prun', container), undefined, "not 'run', which is less near")
})
