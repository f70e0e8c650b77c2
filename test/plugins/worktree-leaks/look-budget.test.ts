import t from 'tap'
import { LookBudget } from '../../../plugins/worktree-leaks/look-budget.ts'

/** Asks for a look each millisecond, and returns the times of those that came. */
function looksIn(ms: number, costMs: number): readonly number[] {
  const budget = new LookBudget()
  const looks: number[] = []
  for (let now = 0; now < ms; now++) {
    if (budget.take(now) > 0) continue
    looks.push(now)
    budget.spend(costMs)
  }
  return looks
}

t.test('many looks come at once, then one in 50 ms', async t => {
  const looks = looksIn(10_000, 0.1)
  t.equal(looks.filter(at => at < 40).length, 20)
  t.ok(looks.length > 200 && looks.length < 240, `${looks.length}`)
})

t.test('costly looks take a small part of the time, and still come', async t => {
  const looks = looksIn(20_000, 6)
  t.equal(looks.filter(at => at < 20).length, 20, 'the first ones at once')
  const later = looks.filter(at => at > 5000).length
  t.ok((later * 6) / 15_000 < 0.03, `${later} looks of 6 ms in 15 s`)
  t.ok(looksIn(20_000, 1000).length > 40, 'at least one in 500 ms')
})

t.test('it says how long to wait', async t => {
  const budget = new LookBudget()
  for (let count = 0; count < 20; count++) t.equal(budget.take(0), 0)
  const wait = budget.take(0)
  t.equal(wait, 50)
  t.equal(budget.take(wait), 0)
})
