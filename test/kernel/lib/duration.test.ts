import t from 'tap'
import { formatMeasured, parseDuration } from '../../../kernel/lib/duration.ts'

t.test('parses a number with a unit', async t => {
  const texts = ['500ms', '30s', '1.5h', '2m', '0s', '0.25s']
  t.strictSame(
    texts.map(text => parseDuration(text)),
    [500, 30_000, 5_400_000, 120_000, 0, 250],
  )
  t.equal(parseDuration('1d', ['s', 'd']), 86_400_000)
})

t.test('refuses all else', async t => {
  for (const text of ['', '5', 's', '-1s', '1.s', '.5s', '1 s', '1e3s', '5S', '1m30s', '1d', 'toString'])
    t.equal(parseDuration(text), undefined, text)
  t.equal(parseDuration('5ms', ['s', 'm']), undefined)
})

t.test('formats a measured time', async t => {
  const times = [-1, 0, 4.21, 9.94, 9.96, 12.4, 999.4, 999.6, 1250, 59_940, 59_960, 125_000]
  t.strictSame(times.map(formatMeasured), [
    ...['0.0 ms', '0.0 ms', '4.2 ms', '9.9 ms', '10 ms', '12 ms', '999 ms', '1.0 s', '1.3 s', '59.9 s'],
    ...['1 m 00 s', '2 m 05 s'],
  ])
})
