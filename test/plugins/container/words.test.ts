import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import t from 'tap'
import { splitWords, wordsOf } from '../../../plugins/container/words.ts'

t.test('a command is split as a shell splits it', async t => {
  t.same(splitWords('redis-server --save "" --appendonly yes'), ['redis-server', '--save', '', '--appendonly', 'yes'])
  t.same(splitWords(`sh -c 'echo "$HOME"; exit 1'`), ['sh', '-c', 'echo "$HOME"; exit 1'])
  t.same(splitWords('a\\ b "c\\"d" e\'f\'g'), ['a b', 'c"d', 'efg'])
  t.same(splitWords('  '), [])
  t.same(splitWords('echo $HOME *'), ['echo', '$HOME', '*'], 'nothing is expanded')
})

t.test('a quote that is not closed is an error', async t => {
  t.throws(() => splitWords('sh -c "echo'), { code: 'CONFIG_INVALID', message: /is not closed/ })
})

t.test('an array stays as it is', async t => {
  t.same(wordsOf(['a b', '']), ['a b', ''])
  t.equal(wordsOf(undefined), undefined)
})

t.test('any words survive being quoted, as in a shell', async t => {
  const quoted = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`
  const anyWord = fc.string({ unit: 'grapheme' }).filter(word => !word.includes('\0'))
  fc.assert(
    fc.property(fc.array(anyWord, { minLength: 1 }), words => {
      t.same(splitWords(words.map(quoted).join(' ')), words)
    }),
    { numRuns: 200 },
  )
})

t.test('a shell agrees', async t => {
  for (const text of ['a "b c"d \'e\'', 'x\\"y "a\\\\b" "\\a"', "'it'\\''s'"]) {
    const printed = execFileSync('/bin/sh', ['-c', `for word in ${text}; do printf '%s\\n' "$word"; done`], {
      encoding: 'utf8',
      timeout: 5000,
    })
    t.same(splitWords(text), printed.trimEnd().split('\n'), text)
  }
})
