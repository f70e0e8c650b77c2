import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { resolvePaths } from '../../kernel/system/paths.ts'
import { processList } from '../lib/process-list.ts'
import { until } from '../lib/running.ts'
import { Sandbox } from '../lib/sandbox.ts'

const toml = `
[project]
name = "two"
[services.a]
type = "worker"
command = "exec sleep 100000"
[services.b]
type = "worker"
command = "exec sleep 100000"
`

/** Two services, and what their daemon has recorded of them. */
async function running(t: Test) {
  const sandbox = new Sandbox(t)
  const folder = sandbox.project('two', { 'locald.toml': toml })
  await sandbox.up(folder)
  const { records } = resolvePaths({ env: sandbox.env })
  const fileIn = (kind: string, text: string) => {
    const files = readdirSync(join(records, kind)).map(name => join(records, kind, name))
    const found = files.find(file => readFileSync(file, 'utf8').includes(text))
    if (found === undefined) throw new Error(`no record has ${text}`)
    return found
  }
  return {
    ...{ sandbox, folder, records, fileIn },
    service: fileIn('services', '"service":"a"'),
    project: fileIn('projects', '"name":"two"'),
    pids: async () => (await sandbox.status(folder)).map(({ pid }) => pid),
    async kill() {
      const { pid } = await sandbox.server()
      process.kill(pid, 'SIGKILL')
      await until('the end of the daemon', () => !processList.isAlive(pid))
    },
  }
}

type Two = Awaited<ReturnType<typeof running>>

function edit(file: string, change: (text: string) => string): void {
  writeFileSync(file, change(readFileSync(file, 'utf8')))
}

/** By what was done to the records while no daemon ran. */
const kept: Readonly<Record<string, (two: Two) => void>> = {
  'a record of a service that was cut off': ({ service }) =>
    truncateSync(service, readFileSync(service, 'utf8').indexOf('"exitFile"')),
  'one of another version': ({ service }) => edit(service, text => text.replace('"version":1', '"version":2')),
  'one of a project that is empty': ({ project }) => truncateSync(project),
  'one of a project that is missing': ({ project }) => rmSync(project),
  'one of a project that is a pipe': ({ project }) => {
    rmSync(project)
    execFileSync('mkfifo', [project])
  },
  'both of another version': ({ service, project }) => {
    for (const file of [service, project]) edit(file, text => text.replace('"version":1', '"version":2'))
  },
}

t.test('adopts running services with corrupt records', async t => {
  for (const [what, damage] of Object.entries(kept)) {
    await t.test(what, async t => {
      const two = await running(t)
      const before = await two.pids()
      await two.kill()
      damage(two)
      t.strictSame(await two.pids(), before, 'the same processes, and no others')
      await two.sandbox.up(two.folder)
      // What one was started with is not known any more where its own record is damaged: `up` restarts it.
      t.equal((await two.pids())[1], before[1])
      const sleeping = two.sandbox.processes().filter(({ command }) => command.startsWith('sleep '))
      t.equal(sleeping.length, 2, 'there is one of each')
      t.strictSame(readdirSync(join(two.records, 'unread')), [])
    })
  }
})

/** What says nothing of its service any more: that one is started again. */
const lost: Readonly<Record<string, (two: Two) => void>> = {
  'a record that is empty': ({ service }) => truncateSync(service),
  'a folder in its place': ({ service }) => {
    rmSync(service)
    mkdirSync(service)
  },
  'one of 3 GB': ({ service }) => {
    truncateSync(service)
    truncateSync(service, 3 * 1024 ** 3)
  },
}

t.test('restarts only the service whose record is lost', async t => {
  for (const [what, damage] of Object.entries(lost)) {
    await t.test(what, async t => {
      const two = await running(t)
      const [a, b] = await two.pids()
      await two.kill()
      damage(two)
      const after = await until('both', async () => {
        const pids = await two.pids()
        return pids.every(pid => pid !== null) && pids
      })
      t.equal(after[1], b)
      t.not(after[0], a)
      t.notOk(processList.isAlive(a ?? 0), 'there is one of it')
    })
  }
})

t.test('forgets exited services of a project without a record', async t => {
  const two = await running(t)
  await two.kill()
  for (const name of ['"service":"a"', '"service":"b"'])
    edit(two.fileIn('services', name), text => JSON.stringify({ ...JSON.parse(text), state: null, status: 'exited' }))
  rmSync(two.project)
  rmSync(two.folder, { recursive: true })
  await two.sandbox.ok(['server', 'start'])
  t.strictSame(readdirSync(join(two.records, 'services')), [])
  t.notMatch(readFileSync(resolvePaths({ env: two.sandbox.env }).daemonLog, 'utf8'), /could not be adopted/)
})

t.test('without any records the daemon starts and stops unknown services', async t => {
  const two = await running(t)
  const before = await two.pids()
  await two.kill()
  rmSync(two.records, { recursive: true })
  writeFileSync(two.records, '')
  await two.sandbox.ok(['server', 'start'])
  t.strictSame(
    before.filter(pid => processList.isAlive(pid ?? 0)),
    [],
  )
  await two.sandbox.up(two.folder)
  t.equal((await two.pids()).length, 2)
})

t.test('doctor reports services that cannot be adopted, and the shutdown stops them', async t => {
  const two = await running(t)
  const before = await two.pids()
  await two.kill()
  rmSync(join(two.folder, 'locald.toml'))
  for (const file of [two.service, two.project]) edit(file, text => text.replace('"version":1', '"version":2'))
  await two.sandbox.ok(['server', 'start'])
  t.ok(
    before.every(pid => processList.isAlive(pid ?? 0)),
    'it runs on',
  )
  const doctor: { readonly checks: readonly { readonly id: string }[] } = JSON.parse(
    (await two.sandbox.ok(['doctor', '--json'])).stdout,
  )
  const check = doctor.checks.find(({ id }) => id === 'records')
  t.match(check, { status: 'warn', summary: two.service.split('/').at(-1)?.slice(0, -5), fix: /server shutdown/ })
  await two.sandbox.ok(['server', 'shutdown'])
  t.strictSame(
    before.filter(pid => processList.isAlive(pid ?? 0)),
    [],
    'stopped',
  )
  t.strictSame(readdirSync(join(two.records, 'unread')), [])
})

t.test('a service keeps running without its plugin, and the shutdown stops it', async t => {
  const sandbox = new Sandbox(t)
  const clock = `import { shape } from 'locald/plugin'
export default {
  name: 'locald-plugin-clock',
  api: 1,
  needs: ['processes'],
  setup(host) {
    host.service({
      type: 'clock',
      shape: shape({ type: 'object', additionalProperties: false }),
      network: 'none',
      start: run => host.use.processes.spawn({
        key: run.key, argv: ['/bin/sh', '-c', 'trap "echo bye; exit" INT; while :; do sleep 0.1; done'], dir: run.dir, env: run.env,
        tty: false, log: run.log, port: undefined, stopSignal: 'SIGINT', stopTimeout: run.stopTimeout,
      }),
      adopt: (run, state) => host.use.processes.adopt(state, run.log),
    })
  },
}
`
  const manifest = { version: '1.2.0', type: 'module', exports: './index.js', locald: { api: 1, types: ['clock'] } }
  const files = {
    'package.json': JSON.stringify({ name: 'locald-plugin-clock', ...manifest }),
    'index.js': clock,
  }
  const shop = sandbox.project('shop', {
    'locald.toml': '[project]\nname = "shop"\n[services.clock]\ntype = "clock"\n[services.late]\ntype = "clock"\n',
  })
  const { data, records } = resolvePaths({ env: sandbox.env })
  const plugin = join(data, 'plugins', 'node_modules', 'locald-plugin-clock')
  const install = () => {
    for (const [name, text] of Object.entries(files)) sandbox.write(join(plugin, name), text)
  }
  install()
  await sandbox.up(shop)
  const { pid } = await sandbox.service(shop, 'clock')
  const late = await sandbox.service(shop, 'late')
  const goes = {
    status: 'running',
    pid,
    reason: /type 'clock' is not available: .*; the process keeps running until it is stopped/,
  }
  rmSync(plugin, { recursive: true })
  await sandbox.ok(['server', 'restart'])
  t.match(await sandbox.service(shop, 'clock'), goes)
  process.kill(late.pid ?? 0, 'SIGKILL')
  await until('the end of late', async () => (await sandbox.service(shop, 'late')).status === 'failed')
  t.match(await sandbox.service(shop, 'late'), { reason: /type 'clock' is not available/ })
  await sandbox.ok(['server', 'restart'])
  t.match(await sandbox.service(shop, 'clock'), goes, 'by each daemon')
  install()
  await sandbox.ok(['server', 'restart'])
  t.match(await sandbox.service(shop, 'clock'), { status: 'running', pid, reason: null }, 'its plugin has it again')
  rmSync(plugin, { recursive: true })
  await sandbox.ok(['server', 'restart'])
  t.equal((await sandbox.ok(['stop', 'clock'], { cwd: shop })).stdout, 'Stopped clock\n')
  t.match(await sandbox.logs(shop, ['clock', '-n', '1']), [{ text: 'bye' }], 'by the signal of its type')

  install()
  await sandbox.ok(['server', 'restart'])
  await sandbox.up(shop)
  rmSync(plugin, { recursive: true })
  await sandbox.ok(['server', 'restart'])
  await sandbox.ok(['server', 'shutdown'])
  t.strictSame(
    sandbox.processes().filter(({ command }) => command.includes('sleep')),
    [],
  )
  t.strictSame(readdirSync(join(records, 'services')), [])
})
