import t from 'tap'
import type { Health, Status } from '../../../kernel/events.ts'
import { StartTimes } from '../../../kernel/services/start-times.ts'

/** Takes states one second apart: status, health, and when its process was created. */
function timesOf(...states: readonly (readonly [Status, Health, number | null])[]): StartTimes {
  const times = new StartTimes()
  states.forEach(([status, health, startedMs], at) => void times.note({ status, health, startedMs }, at * 1000))
  return times
}

t.test('notes when a start began, created its process and was ready', async t => {
  const { last } = timesOf(
    ['waiting', null, null],
    ['waiting', null, null],
    ['starting', 'starting', null],
    ['starting', 'starting', 2900],
    ['running', 'healthy', 2900],
    ['running', 'unhealthy', 2900],
    ['running', 'healthy', 2900],
  )
  t.strictSame(last, { beganMs: 0, startedMs: 2900, readyMs: 4000, completedMs: undefined })
})

t.test('notes when a task is ready and when it has completed', async t => {
  const { last } = timesOf(
    ['waiting', null, null],
    ['starting', 'starting', 500],
    ['running', null, 500],
    ['exited', null, 500],
  )
  t.strictSame(last, { beganMs: 0, startedMs: 500, readyMs: 2000, completedMs: 3000 })
})

t.test('a restart after a crash is a start of its own, without the time of the earlier process', async t => {
  const { last } = timesOf(
    ['waiting', null, null],
    ['running', null, 500],
    ['restarting', null, 500],
    ['starting', 'starting', 500],
  )
  t.strictSame(last, { beganMs: 3000, startedMs: undefined, readyMs: undefined, completedMs: undefined })
})

t.test('a start by request begins to wait; its earlier process does not count', async t => {
  const { last } = timesOf(
    ['waiting', null, null],
    ['running', null, 500],
    ['restarting', null, 500],
    ['waiting', null, 500],
    ['starting', 'starting', 500],
    ['starting', 'starting', 4800],
    ['failed', null, 4800],
  )
  t.strictSame(last, { beganMs: 3000, startedMs: 4800, readyMs: undefined, completedMs: undefined })
})

t.test('a start of an earlier daemon is unknown', async t => {
  t.equal(timesOf(['running', null, 500], ['running', 'healthy', 500]).last, undefined)
})
