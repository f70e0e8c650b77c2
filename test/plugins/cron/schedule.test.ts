import t from 'tap'
import { cronFault, parseInterval, scheduleOf } from '../../../plugins/cron/schedule.ts'

process.env['TZ'] = 'Europe/Berlin'

/** Returns the next times of a schedule, in UTC. */
function timesOf(schedule: string, from: string, count: number): readonly string[] {
  const times: string[] = []
  let at = Date.parse(from)
  for (let left = count; left > 0; left--) {
    at = scheduleOf({ schedule }).next(at)
    times.push(new Date(at).toISOString().slice(0, 16))
  }
  return times
}

t.test('a cron expression is in local time, across changes of summer time', async t => {
  t.same(timesOf('*/15 * * * *', '2026-12-01T10:00:00Z', 2), ['2026-12-01T10:15', '2026-12-01T10:30'])
  t.same(timesOf('0 9 * * MON-FRI', '2026-12-04T10:00:00Z', 2), ['2026-12-07T08:00', '2026-12-08T08:00'])
  t.same(timesOf('@daily', '2026-12-04T10:00:00Z', 1), ['2026-12-04T23:00'])
  t.same(timesOf('30 2 * * *', '2027-03-27T12:00:00Z', 2), ['2027-03-28T01:00', '2027-03-29T00:30'], 'no 2:30: at 3:00')
  t.same(timesOf('30 2 * * *', '2026-10-24T12:00:00Z', 2), ['2026-10-25T00:30', '2026-10-26T01:30'], 'two 2:30: once')
  const half = ['2026-10-25T00:30', '2026-10-25T01:00', '2026-10-25T01:30', '2026-10-25T02:00']
  t.same(timesOf('*/30 * * * *', '2026-10-25T00:00:00Z', 4), half, 'each half hour')
})

t.test('an interval counts from the time before, also after missed ones', async t => {
  const { next } = scheduleOf({ every: '10m' })
  t.equal(next(1000), 601_000)
  t.equal(next(601_002, 601_000), 1_201_000)
  t.equal(next(5_000_000, 601_000), 5_401_000)
  t.equal(parseInterval(90), 90_000)
  t.equal(parseInterval('1.5h'), 5_400_000)
  for (const wrong of ['500ms', '10', 'soon', 0.5, -1, '1000h', 'm', '1e3s']) t.equal(parseInterval(wrong), undefined)
})

t.test('a fault of a cron expression has a reason', async t => {
  const faults = {
    '': 'must be a cron expression of five fields',
    '* * * *': 'must be a cron expression of five fields',
    '* * * * * *': 'must be a cron expression of five fields',
    '2026-12-05T00:00:00': 'must be a cron expression of five fields',
    '61 * * * *': 'must be a cron expression: invalid value for minute: 61',
    'x * * * *': 'must be a cron expression: configuration entry 1 (x) contains illegal characters.',
    '0 0 30 2 *': 'is never due',
  }
  for (const [text, message] of Object.entries(faults))
    t.match(cronFault(text), { message, hint: /Write minute, hour/ })
  t.match(cronFault('@reboot'), { message: /^must be a cron expression: @reboot is not supported/ })
  t.equal(cronFault('5 4 * * SUN'), undefined)
})
