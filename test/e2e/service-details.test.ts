import t from 'tap'
import type { DetailsAnswer, DiskAnswer, HistoryAnswer, UsageAnswer } from '../../kernel/protocol.ts'
import { resolvePaths } from '../../kernel/system/paths.ts'
import { ask } from '../lib/raw-http.ts'
import { Sandbox } from '../lib/sandbox.ts'

const files = {
  'locald.toml': `[project]
name = "shop"
[services.db]
type = "worker"
command = "node db.mjs"
health_check = { type = "log", pattern = "ready" }
[services.web]
command = "node web.mjs"
workdir = "app"
depends_on = ["db"]
env = { GREETING = "hello" }
[services.job]
type = "worker"
restart = "no"
command = "exit 3"
`,
  'db.mjs': "console.log('ready'); setInterval(() => {}, 1000)",
  'app/web.mjs': `import { createServer } from 'node:http'
    createServer((_, response) => response.end('web')).listen(Number(process.env.PORT), '127.0.0.1')`,
}

t.test('all that is known of a service', async t => {
  const sandbox = new Sandbox(t)
  const { socket, data } = resolvePaths({ env: sandbox.env })
  const path = sandbox.project('shop', files)
  const get = async (route: string, service?: string) => {
    const more = service === undefined ? '' : `?path=${encodeURIComponent(path)}&service=${service}`
    const { status, body } = await ask({ path: socket }, `/v1/${route}${more}`)
    t.equal(status, 200, route)
    return JSON.parse(body)
  }
  await sandbox.run(['up', '--json'], { cwd: path })

  await t.test('details: where it runs and how it is connected', async t => {
    const web: DetailsAnswer = await get('services/details', 'web')
    t.match(web, {
      service: { key: 'shop:web', status: 'running', memory: Number },
      ...{ dir: `${path}/app`, command: 'node web.mjs', hosts: ['shop.localhost', 'web.shop.localhost'] },
      dependencies: [{ key: 'shop:db', condition: 'ready', status: 'running', health: 'healthy', met: true }],
      dependents: [],
    })
    t.match(
      web.config.find(({ key }) => key === 'workdir'),
      { value: 'app', file: `${path}/locald.toml`, line: 9 },
    )
    t.notMatch(JSON.stringify(web.config), 'GREETING', 'the environment is an answer of its own')
    t.match(await get('services/details', 'db'), { dependents: ['shop:web'] })
  })

  await t.test('history: states and exits with their reasons, also for the next daemon', async t => {
    const { entries }: HistoryAnswer = await get('services/history', 'job')
    t.strictSame(
      entries.map(({ kind, status }) => status ?? kind).filter(word => word !== 'running'),
      ['waiting', 'starting', 'exit', 'failed'],
    )
    t.match(entries.at(-2), { kind: 'exit', code: 3, signal: null })
    t.match(entries.at(-1), { kind: 'state', status: 'failed', text: /exited with code 3/ })
    await sandbox.ok(['restart', 'db'], { cwd: path })
    const before: HistoryAnswer = await get('services/history', 'db')
    t.ok(before.entries.some(({ kind, signal }) => kind === 'exit' && signal === 'SIGTERM'))
    await sandbox.ok(['server', 'restart'])
    const after: HistoryAnswer = await get('services/history', 'db')
    t.strictSame(after.entries.slice(0, before.entries.length), before.entries)
  })

  await t.test('usage: what was seen when someone looked', async t => {
    await sandbox.status(path)
    const { samples }: UsageAnswer = await get('services/usage', 'web')
    t.ok(samples.length > 0)
    t.ok(samples.every(([time, cpu, memory]) => Math.abs(time - Date.now()) < 60_000 && cpu >= 0 && memory > 1e6))
  })

  await t.test('disk: bytes by project and service', async t => {
    const disk: DiskAnswer = await get('disk')
    t.match(disk, { path: data, complete: true })
    t.ok(disk.freeBytes > 0)
    t.equal(
      disk.bytes,
      disk.entries.reduce((sum, { bytes }) => sum + bytes, 0),
    )
    t.match(
      disk.entries.find(({ service }) => service === 'db'),
      { kind: 'logs', project: 'shop', path: `${data}/logs/shop/db` },
    )
  })

  await t.test('a fix is refused that no check has named', async t => {
    await get('doctor')
    const body = JSON.stringify({ command: 'touch /tmp/stolen' })
    const { status, body: answer } = await ask({ path: socket }, '/v1/doctor/fix', { method: 'POST', body })
    t.equal(status, 400)
    t.match(JSON.parse(answer), { error: { code: 'USAGE' } })
  })
})
