import { mock } from 'node:test'
import t, { type Test } from 'tap'
import type { Exit, Instance, InstanceEvent } from '../../../kernel/contract/plugin.ts'
import { CronInstance, type Earlier } from '../../../plugins/cron/instance.ts'
import { scheduleOf } from '../../../plugins/cron/schedule.ts'

const startMs = Date.parse('2026-12-01T12:00:00')
const minuteMs = 60_000

/** A run that exits when the test says so. */
class Run implements Instance {
  readonly pid = 4242
  readonly startedMs = Date.now()
  readonly state = { socket: 'k' }
  readonly exited: Promise<Exit>
  exit: (exit: Exit) => void = () => {}

  constructor() {
    this.exited = new Promise(resolve => {
      this.exit = resolve
    })
  }

  async stop({ signal }: { readonly signal: string }): Promise<void> {
    this.exit({ code: null, signal })
  }
}

/** A schedule of every ten minutes, whose clock and runs the test has in hand. */
function follow(t: Test, earlier: Earlier = {}, isSpawned = true) {
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: startMs })
  const runs: Run[] = []
  const lines: string[] = []
  let note: string | null = null
  const closing = new AbortController()
  const log = { write: (_: string, text: string) => void lines.push(text) }
  const instance = new CronInstance(
    {
      schedule: scheduleOf({ every: '10m' }),
      log: Object.assign(Object.create(null), log),
      closing: closing.signal,
      async launch() {
        if (!isSpawned) throw new Error('the working folder /x does not exist')
        runs.push(new Run())
        return runs.at(-1) ?? new Run()
      },
    },
    earlier,
  )
  instance.on((event: InstanceEvent) => {
    if (event.event === 'note') note = event.text
  })
  t.teardown(() => mock.timers.reset())
  const settle = () => new Promise(resolve => setImmediate(resolve))
  return {
    ...{ instance, runs, lines, closing, settle },
    note: () => note,
    async pass(minutes: number) {
      for (let left = minutes * 6; left > 0; left--) {
        mock.timers.tick(minuteMs / 6)
        await settle()
      }
    },
    async exit(code: number) {
      runs.at(-1)?.exit({ code, signal: null })
      await settle()
    },
  }
}

t.test('runs when due, one at a time, and reports what was skipped once', async t => {
  const it = follow(t)
  t.equal(it.note(), 'next run at 12:10')
  await it.pass(9)
  t.equal(it.runs.length, 0)
  await it.pass(1)
  t.equal(it.runs.length, 1)
  t.equal(it.note(), null)
  t.match(it.instance.state, { socket: 'k', cron: { nextMs: startMs + 20 * minuteMs } })
  await it.pass(35)
  t.equal(it.runs.length, 1)
  t.same(it.lines, ['skipped the run of 12:20: the one before still runs'])
  await it.exit(0)
  t.same(it.lines.slice(1), ['exited with code 0 after 2100.0 s; 3 runs were due meanwhile'])
  t.equal(it.note(), 'next run at 12:50')
  t.notOk(Object.hasOwn(Object(it.instance.state), 'socket'))
  await it.pass(5)
  t.equal(it.runs.length, 2)
  await it.instance.stop({ signal: 'SIGTERM', graceMs: 0 })
  t.match(it.lines.at(-1), /^terminated by SIGTERM/)
  t.same(await it.instance.exited, { code: 0, signal: null })
})

t.test('a failure is the reason until the next run succeeds', async t => {
  const it = follow(t)
  await it.pass(10)
  await it.exit(3)
  t.equal(it.note(), 'last run exited with code 3 at 12:10; next run at 12:20')
  await it.pass(10)
  t.equal(it.note(), 'last run exited with code 3 at 12:10')
  await it.exit(0)
  t.equal(it.note(), 'next run at 12:30')
})

t.test('a run that does not start is a failure', async t => {
  const it = follow(t, {}, false)
  await it.pass(10)
  t.match(it.note(), /^last run failed to start at 12:10: the working folder .*; next run at 12:20$/)
  await it.pass(10)
  t.match(it.note(), /^last run failed to start at 12:20/)
})

t.test('what was missed while the machine slept runs once', async t => {
  const it = follow(t)
  // Timers stand still meanwhile.
  mock.timers.setTime(startMs + 65 * minuteMs)
  await it.pass(0.5)
  t.equal(it.runs.length, 1)
  await it.exit(0)
  t.equal(it.note(), 'next run at 13:10')
  t.same(it.lines, ['exited with code 0 after 20.0 s'], 'none of them counts as skipped')
})

t.test('a clock that is set back does not stop the runs', async t => {
  const it = follow(t)
  // The timers count on.
  const { now } = Date
  const back = mock.method(Date, 'now', () => now() - 120 * minuteMs)
  t.teardown(() => back.mock.restore())
  await it.pass(0.5)
  t.equal(it.note(), 'next run at 10:10:30')
})

t.test('the next daemon continues the schedule, and adopts a run', async t => {
  const process = new Run()
  const it = follow(t, { beganMs: 1, nextMs: startMs - 25 * minuteMs, failure: 'exited with code 1 at 11:25', process })
  t.equal(it.instance.pid, 4242)
  await it.pass(0.5)
  t.equal(it.runs.length, 0, 'not doubled')
  process.exit({ code: 0, signal: null })
  await it.settle()
  t.equal(it.note(), 'next run at 12:05')
  it.closing.abort()
  await it.pass(10)
  t.equal(it.runs.length, 0, 'none begins while the daemon exits')
})

t.test('what was due while no daemon ran is run once, also when the run before exited meanwhile', async t => {
  const process = new Run()
  process.exit({ code: 0, signal: null })
  const it = follow(t, { beganMs: 1, nextMs: startMs - 25 * minuteMs, process })
  mock.timers.tick(0)
  await it.settle()
  await it.pass(0.5)
  t.equal(it.runs.length, 1)
  t.notMatch(it.lines.join(), 'skipped')
})
