/** Calendar events of systemd for cron expressions: systemd itself says when they are due. */
import { execFileSync } from 'node:child_process'
import { Cron } from 'croner'
import t from 'tap'
import { calendarOf } from '../../../cli/export/systemd-calendar.ts'
import { onlyLinux } from '../../lib/machine.ts'

const base = '2026-02-27 22:41:30 UTC'

/** Returns the next times of calendar events, of which each counts: ms since the epoch. */
function elapses(events: readonly string[], count: number): readonly number[] {
  const times = events.flatMap(event => {
    const args = ['calendar', `--iterations=${count}`, `--base-time=${base}`, event]
    const text = execFileSync('systemd-analyze', args, {
      encoding: 'utf8',
      env: { ...process.env, TZ: 'UTC', LC_ALL: 'C' },
    })
    return [...text.matchAll(/(?:Next elapse|Iteration #\d+|Iter\. #\d+): \w{3} (\S+ \S+) UTC/g)].map(([, time]) =>
      Date.parse(`${time}Z`),
    )
  })
  return [...new Set(times)].sort((a, b) => a - b).slice(0, count)
}

t.test('systemd is due when the schedule of locald is', { skip: onlyLinux('systemd') }, async t => {
  for (const schedule of [
    '*/15 * * * *',
    '* * * * *',
    '5,35 9-17 * * MON-FRI',
    '0 0 29 2 *',
    '10-50/20 */6 * JAN-MAR,dec *',
    '0 9 13 * 5',
    '0 12 * * 5-7',
    '30 4 * * 0,3',
    '7 3 1-7 * *',
    '5 1 * * sun',
    '0 ? ? * *',
    '@hourly',
    '@weekly',
    '@monthly',
    '@yearly',
  ]) {
    const events = calendarOf(schedule)
    const due = new Cron(schedule, { mode: '5-part', timezone: 'UTC' }).nextRuns(8, new Date(Date.parse(base)))
    t.strictSame(elapses(events ?? [], 8), due.map(Number), `${schedule}: ${events?.join(' or ')}`)
  }
})

t.test('what systemd cannot express has no event', async t => {
  for (const schedule of [
    '0 0 L * *',
    '0 0 * * FRI#2',
    '0 0 15W * *',
    '@reboot',
    '* * * *',
    '61 * * * *',
    '5-1 * * * *',
  ])
    t.equal(calendarOf(schedule), undefined, schedule)
})
