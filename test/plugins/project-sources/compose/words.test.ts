import fc from 'fast-check'
import t from 'tap'
import { parseDuration, toSize } from '../../../../plugins/project-sources/compose/units.ts'
import { quoteWords, splitWords } from '../../../../plugins/project-sources/compose/words.ts'

t.test('splits a command line by quotes and backslashes', async t => {
  t.strictSame(splitWords(`sh -c "echo \\"a\\" \\$B \\n" 'c "d"' e\\ f '' g"h"i`), [
    ...['sh', '-c', 'echo "a" $B \\n', 'c "d"', 'e f', '', 'ghi'],
  ])
  t.strictSame(splitWords('  a\n\tb  '), ['a', 'b'])
  t.strictSame(splitWords('a \\\n b'), ['a', 'b'])
  t.strictSame(splitWords(''), [])
  t.equal(splitWords(`a 'b`), undefined)
})

t.test('splits what it has quoted into the same words', async t => {
  fc.assert(fc.property(fc.array(fc.string()), words => t.strictSame(splitWords(quoteWords(words)), words)))
})

t.test('parses durations of Go and plain seconds', async t => {
  const cases = { '1m30s': 90, '500ms': 0.5, '10': 10, '1.5h': 5400, '0s': 0, '100us': 0, '1h1m1s1ms': 3661.001 }
  for (const [text, seconds] of Object.entries(cases)) t.equal(parseDuration(text), seconds, text)
  for (const text of ['', 'soon', '1d', '-1s', '1m 30s']) t.equal(parseDuration(text), undefined, text)
})

t.test('writes sizes in the form of engines', async t => {
  const cases = { '512M': '512m', '64mb': '64m', '1.5GiB': '1.5g', '1048576': '1048576', '1t': '1024g', ' 2 kb ': '2k' }
  for (const [text, size] of Object.entries(cases)) t.equal(toSize(text), size, text)
  for (const text of ['', 'much', '1x', '-1m']) t.equal(toSize(text), undefined, text)
})
