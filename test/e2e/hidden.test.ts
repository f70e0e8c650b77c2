import t from 'tap'
import { until } from '../lib/running.ts'
import { Sandbox } from '../lib/sandbox.ts'

const project = (hidden: boolean, code: number) => `[project]
name = "shop"
[services.seed]
type = "worker"
restart = "no"
hidden = ${hidden}
command = "echo seeded; exit ${code}"
[services.jobs]
type = "worker"
depends_on = { seed = "completed" }
command = "sleep 200601"
`

t.test('a hidden service runs like any other, and is in no list until it fails', async t => {
  const box = new Sandbox(t)
  const folder = box.project('shop', { 'locald.toml': project(true, 0) })
  const cwd = { cwd: folder }
  const table = (await box.ok(['up', '--detach'], cwd)).stdout
  t.match(table, /^jobs +ready/m)
  t.notMatch(table, /^seed/m)
  t.match(await box.service(folder, 'seed'), { status: 'exited', hidden: true })
  t.notOk(Object.hasOwn(await box.service(folder, 'jobs'), 'hidden'))
  t.match((await box.ok(['logs', 'seed'], cwd)).stdout, 'seeded')
  t.notMatch((await box.ok(['status'], cwd)).stdout, /^seed/m)
  t.match((await box.ok(['status', 'seed'], cwd)).stdout, /^seed +Exited/m)
  t.match((await box.ok(['status', '--all'], cwd)).stdout, /^shop:seed +Exited/m)

  const { pid } = await box.service(folder, 'jobs')
  box.write(`${folder}/locald.toml`, project(false, 0))
  await until('the change', async () => !Object.hasOwn(await box.service(folder, 'seed'), 'hidden'))
  t.match((await box.ok(['status'], cwd)).stdout, /^seed/m)
  t.equal((await box.service(folder, 'jobs')).pid, pid, 'without a restart')

  box.write(`${folder}/locald.toml`, project(true, 3))
  await until('the failure', async () => (await box.service(folder, 'seed')).status === 'failed')
  t.match((await box.ok(['status'], cwd)).stdout, /^seed +Failed[^\n]*\n +exited with code 3/m)
})
