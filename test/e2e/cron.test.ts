import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { until } from '../lib/running.ts'
import { Sandbox } from '../lib/sandbox.ts'

const project = `[project]
name = "shop"
[services.db]
type = "worker"
command = "echo > ready; sleep 200602"
health_check = "test -e ready"
[services.report]
type = "cron"
every = "1s"
depends_on = ["db"]
command = "test -e ready && echo report $NAME; echo x >> runs"
env = { NAME = "daily" }
[services.bad]
type = "cron"
every = 1
command = "exit 3"
[services.slow]
type = "cron"
every = "1s"
command = "echo x >> slow; while ! test -e go; do sleep 0.1; done; echo done"
[services.yearly]
type = "cron"
schedule = "0 0 1 1 *"
watch = ["trigger"]
command = "echo happy new year; echo x >> yearly"
`

t.test('commands run by a schedule', async t => {
  const box = new Sandbox(t)
  const folder = box.project('shop', { 'locald.toml': project })
  const cwd = { cwd: folder }
  const count = (name: string) => {
    try {
      return readFileSync(join(folder, name), 'utf8').length / 2
    } catch {
      return 0
    }
  }
  const texts = async (name: string) => (await box.logs(folder, [name])).map(({ text }) => text)
  t.match((await box.ok(['up', '--detach'], cwd)).stdout, /^yearly +ready +-$/m)

  await t.test('when due, after their dependencies, with the exit code in the log', async t => {
    await until('runs', () => count('runs') >= 2)
    await until('their end', async () => (await texts('report')).some(text => /^exited with code 0 after/.test(text)))
    t.ok((await texts('report')).includes('report daily'))
    t.match(await box.service(folder, 'yearly'), {
      ...{ status: 'running', health: null, port: null, url: null, pid: null },
      reason: /^next run at 20\d\d-01-01 00:00$/,
    })
    t.equal(count('yearly'), 0)
  })

  await t.test('a failure is a reason, and stops nothing', async t => {
    await until('the failure', async () => /last run exited/.test((await box.service(folder, 'bad')).reason ?? ''))
    t.match(await box.service(folder, 'bad'), {
      status: 'running',
      reason: /^last run exited with code 3 at \d\d:\d\d/,
    })
    t.match((await box.ok(['status'], cwd)).stdout, /^bad +Running[^\n]*\n +last run exited with code 3 at/m)
    await box.ok(['wait', 'bad'], cwd)
  })

  await t.test('never two at once, also across daemons', async t => {
    await until('a run', () => count('slow') > 0)
    await until('a skip', async () => (await texts('slow')).some(text => text.startsWith('skipped the run of ')))
    const { pid } = await box.service(folder, 'slow')
    process.kill((await box.server()).pid, 'SIGKILL')
    await until('the next daemon', async () => (await box.service(folder, 'slow')).pid === pid)
    const before = count('runs')
    await until('more runs of others', () => count('runs') >= before + 2)
    t.equal(count('slow'), 1)
    t.equal((await texts('slow')).filter(text => text.startsWith('skipped')).length <= 2, true)
    box.write(join(folder, 'go'), '')
    await until('the exit', async () =>
      (await texts('slow')).some(text => /^exited with code 0 after .* runs were due/.test(text)),
    )
    await until('the next run', () => count('slow') > 1)
  })

  await t.test('a restart, or a watched file, runs one at once; up does not', async t => {
    await box.ok(['up', '--detach'], cwd)
    t.equal(count('yearly'), 0)
    await box.ok(['restart', 'yearly'], cwd)
    await until('the run', () => count('yearly') === 1)
    box.write(join(folder, 'trigger'), '')
    await until('another run', () => count('yearly') === 2)
  })

  await t.test('none after stop', async t => {
    await box.ok(['stop'], cwd)
    const before = count('runs')
    await new Promise(wake => setTimeout(wake, 1500))
    t.equal(count('runs'), before)
  })
})

t.test('what is wrong with a schedule is an error with its line', async t => {
  const box = new Sandbox(t)
  const tables = [
    'command = "x"\nschedule = "61 * * * *"',
    'command = "x"',
    'command = "x"\nschedule = "@daily"\nevery = "1h"',
    'command = "x"\nevery = "soon"',
    'every = "1h"\nport = 3000',
    'every = "1h"\ncommand = "x"\nhealth_check = "true"\nrestart = "no"',
  ]
  const text = tables.map((keys, index) => `[services.s${index}]\ntype = "cron"\n${keys}\n`).join('')
  const folder = box.project('shop', { 'locald.toml': `[project]\nname = "shop"\n${text}` })
  const { code, stderr } = await box.run(['config', 'check'], { cwd: folder })
  t.equal(code, 2)
  for (const problem of [
    /locald\.toml:6: .*must be a cron expression: invalid value for minute: 61/,
    /locald\.toml:7: .*schedule.*missing key/,
    /locald\.toml:14: .*every.*cannot be combined with `schedule`/,
    /locald\.toml:18: .*every.*must be a time of at least 1 s/,
    /locald\.toml:19: .*command.*missing key/,
    /locald\.toml:22: .*port/,
    /locald\.toml:27: .*health_check.*does not apply to type 'cron'/,
    /locald\.toml:28: .*restart.*does not apply to type 'cron'/,
  ])
    t.match(stderr, problem)
})
