import t from 'tap'
import type { GraphService } from '../../../kernel/protocol.ts'
import { criticalPath, spansOf } from '../../../plugins/dashboard/web/screens/graph/critical-path.ts'

/** A service with the times of its start, ms. */
function service(key: string, dependsOn: readonly string[], times?: readonly (number | null)[]): GraphService {
  const [beganAt = '', startedAt = null, readyAt = null] = (times ?? []).map(ms =>
    ms === null ? null : new Date(1e12 + ms).toISOString(),
  )
  return { key, dependsOn, start: times === undefined ? null : { beganAt: beganAt ?? '', startedAt, readyAt } }
}

t.test('goes from the last that was ready back through what it has waited for the longest', async t => {
  const path = criticalPath([
    service('db', [], [0, 10, 900]),
    service('cache', [], [0, 20, 200]),
    service('api', ['cache', 'db'], [0, 910, 2400]),
    service('web', ['api'], [0, 2405, 3200]),
    service('seed', ['db'], [0, 905, 1500]),
  ])
  t.strictSame(path, {
    steps: [
      { key: 'db', ms: 900 },
      { key: 'api', ms: 1500 },
      { key: 'web', ms: 800 },
    ],
    totalMs: 3200,
  })
})

t.test('a dependency that was ready before is no part of it', async t => {
  const path = criticalPath([service('db', [], [0, 10, 900]), service('api', ['db'], [60_000, 60_010, 60_500])])
  t.strictSame(path, { steps: [{ key: 'api', ms: 500 }], totalMs: 500 })
})

t.test('leaves out what was not started, or is not ready yet', async t => {
  t.equal(criticalPath([service('a', []), service('b', ['a'], [0, 10, null])]), undefined)
  t.strictSame(spansOf(service('b', [], [0, 10, null])), { waitedMs: 10, readyMs: undefined })
})

t.test('ends where services wait in a circle of equal times', async t => {
  const path = criticalPath([service('a', ['b'], [0, 0, 5]), service('b', ['a'], [0, 0, 5])])
  t.equal(path?.steps.length, 2)
})
