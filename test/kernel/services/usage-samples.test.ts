import t from 'tap'
import { UsageSamples } from '../../../kernel/services/usage-samples.ts'

t.test('keeps the last samples, at least a second apart', async t => {
  const samples = new UsageSamples()
  t.strictSame(samples.list(), [])
  samples.add(10_000, 1, 100)
  samples.add(10_999, 2, 200)
  samples.add(11_000, 3, 300)
  t.strictSame(samples.list(), [
    [10_000, 1, 100],
    [11_000, 3, 300],
  ])
  for (let second = 12; second < 1000; second++) samples.add(second * 1000, second, 0)
  t.equal(samples.list().length, 300)
  t.strictSame(samples.list()[0], [700_000, 700, 0])
  t.strictSame(samples.list().at(-1), [999_000, 999, 0])
})
