/** Reports of what uses another worktree's service, while daemon, ports and variables change. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../lib/ports.ts'
import { processList } from '../lib/process-list.ts'
import { until } from '../lib/running.ts'
import { portOf, repository, worktree, writeActors } from '../lib/worktrees.ts'
import { on } from './suite.ts'

on('linux', 'a report follows crashes of the daemon and changes of ports', async (t, machine) => {
  const box = machine.sandbox()
  const main = await repository(box, 'shop', [{ name: 'api', isWeb: true }])
  await box.up(main)
  const port = await portOf(box, main, 'api')
  const fix = await worktree(box, main, 'fix')
  writeActors(box, fix, [{ name: 'caller' }])
  box.write(join(fix, '.env'), `OTHER=1\nAPI_URL=http://localhost:${port}\n`)
  await box.up(fix)
  const reports = async (text: string | null) => {
    await until(`the reason ${text}`, async () => (await box.service(fix, 'caller')).reason === text)
  }
  const text = (at: number) =>
    `is configured to use shop:api of another worktree (127.0.0.1:${at}), set by API_URL in .env:2`
  await reports(text(port))

  t.comment('the daemon crashes')
  const { pid } = await box.server()
  process.kill(pid, 'SIGKILL')
  await until('the daemon to exit', () => !processList.isAlive(pid))
  await box.ok(['server', 'start'])
  await reports(text(port))

  t.comment('the other service is stopped, and starts at another port')
  await box.ok(['stop'], { cwd: main })
  await reports(null)
  const next = await freePort()
  writeActors(box, main, [{ name: 'api', isWeb: true, lines: `port = ${next}` }])
  await box.up(main)
  await box.ok(['status'], { cwd: fix })
  t.equal((await box.service(fix, 'caller')).reason, null)

  t.comment('its former port is one of the worktree itself')
  writeActors(box, fix, [{ name: 'caller' }, { name: 'api', isWeb: true, lines: `port = ${port}` }])
  await box.up(fix)
  t.equal((await box.service(fix, 'caller')).reason, null)

  t.comment('the variable follows')
  box.write(join(fix, '.env'), `OTHER=1\nAPI_URL=http://localhost:${next}\n`)
  await box.up(fix)
  // `.env` is of all services: one names the line.
  await until('a report', async () => (await box.status(fix)).some(({ reason }) => reason === text(next)))

  t.comment('it fails')
  const crash = { name: 'crash', env: { WHERE: `http://localhost:${next}` } }
  writeActors(box, fix, [crash])
  const code = `setInterval(() => require('fs').existsSync('fail') && process.exit(3), 50)`
  box.write(
    join(fix, 'src', 'crash.mjs'),
    `import { createRequire } from 'node:module'\nconst require = createRequire(import.meta.url)\n${code}\n`,
  )
  box.write(join(fix, '.env'), '')
  await box.up(fix)
  await until('a report', async () => (await box.service(fix, 'crash')).reason?.includes('set by WHERE'))
  box.write(join(fix, 'fail'), '')
  await until('the failure', async () => (await box.service(fix, 'crash')).status === 'failed')
  const why = await box.ok(['why', 'crash'], { cwd: fix })
  t.match(why.stdout, /crash is configured to use shop:api of another worktree .* set by WHERE in locald\.toml:\d+/)
  t.match(why.stdout, 'locald env crash')
  writeActors(box, fix, [{ ...crash, name: 'caller' }])
  await box.up(fix)
  await until('a report', async () => (await box.service(fix, 'caller')).reason?.includes('set by WHERE'))

  t.comment('it is meant to be used')
  const shared = '[worktrees]\nshared = ["api"]\n'
  writeActors(box, main, [{ name: 'api', isWeb: true, lines: `port = ${next}` }], shared)
  await box.up(main)
  await until('no report', async () => (await box.status(fix)).every(({ reason }) => reason === null))
})

on('linux', 'what is declared as a service of another project is not reported', async (t, machine) => {
  const box = machine.sandbox()
  const main = await repository(
    box,
    'shop',
    ['api', 'db'].map(name => ({ name, isWeb: true })),
  )
  await box.up(main)
  const [api, db] = [await portOf(box, main, 'api'), await portOf(box, main, 'db')]
  const fix = await worktree(box, main, 'fix')
  const [toApi, toDb] = [api, db].map(port => ({ kind: 'tcp', target: `http://127.0.0.1:${port}` }))
  const dependent = { ...toApi, name: 'dependent', lines: 'depends_on = ["main:api"]' }
  const referring = { name: 'referring', env: { API_URL: `http://127.0.0.1:\${projects.main.api.port}` } }
  writeActors(
    box,
    fix,
    [dependent, referring, { ...toDb, name: 'other', lines: dependent.lines }],
    `[projects]\nmain = ${JSON.stringify(main)}`,
  )
  await box.up(fix)
  await until('a report of what is not declared', async () =>
    (await box.service(fix, 'other')).reason?.includes(`uses shop:db of another worktree (127.0.0.1:${db})`),
  )
  await until('a connection', () => existsSync(join(fix, 'rounds', 'dependent')))
  for (const { name } of [dependent, referring]) t.equal((await box.service(fix, name)).reason, null, name)
})
