import { once } from 'node:events'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Running, until } from '../lib/running.ts'
import { Sandbox } from '../lib/sandbox.ts'

const server = `require('net').createServer(s => s.end()).listen(process.env.PORT, '127.0.0.1')`

/** A project with a database, what that needs, and two services that reach it. */
function project(t: Test) {
  const sandbox = new Sandbox(t)
  const folder = sandbox.project('shop', {
    'locald.toml': `[project]
name = "shop"
[env]
LEVEL = "debug"
[services.disk]
command = "node server.js"
[services.db]
command = "node server.js"
depends_on = ["disk"]
[services.other]
command = "node server.js"
[services.worker]
type = "worker"
command = "sleep 1000"
env = { DATABASE_URL = "worker:\${services.db.port}" }
[services.web]
command = "node server.js"
workdir = "web"
depends_on = ["db"]
env = { DATABASE_URL = "web:\${services.db.port}" }
[services.broken]
command = "exit 3"
restart = "no"
`,
    'server.js': server,
    'web/server.js': server,
    'tests/x': '',
  })
  const running = async () =>
    (await sandbox.status(folder)).filter(({ status }) => status === 'running').map(({ name }) => name)
  /** Starts a command that says that it runs, and exits when a file appears. */
  const start = async (name: string, args: readonly string[]): Promise<Running> => {
    const script = `echo it runs; until [ -e ${join(folder, name)}.over ]; do sleep 0.05; done`
    const ran = sandbox.start([...args, '--', 'sh', '-c', script], { cwd: folder })
    await ran.prints('it runs')
    return ran
  }
  const finish = (name: string) => sandbox.write(join(folder, `${name}.over`), '')
  return { sandbox, folder, running, start, finish }
}

t.test('run --with starts what the command needs, and stops what it has started', async t => {
  const { sandbox, folder, running } = project(t)
  const print = 'console.log(process.env.DATABASE_URL, process.env.LEVEL, process.env.PORT, process.cwd())'
  const ran = await sandbox.run(['run', '--with', 'db', 'node', '-e', `${print}; process.exit(7)`], {
    cwd: join(folder, 'tests'),
  })
  t.equal(ran.code, 7, ran.stderr)
  t.match(ran.stdout, /^web:\d+ debug undefined \S+\/shop\/tests\n$/, 'the environment of the service that needs it')
  t.strictSame(await running(), [])

  t.comment('a service by its name has its own environment and folder')
  const own = await sandbox.ok(['run', 'worker', '--with=db,other', '--', 'node', '-e', print], { cwd: folder })
  t.match(own.stdout, /^worker:\d+ debug undefined \S+\/shop\n$/)
  t.strictSame(await running(), [])

  t.comment('what runs already stays, and its environment')
  await sandbox.up(folder, ['db'], { env: { MARK: 'first' } })
  const before = await sandbox.service(folder, 'db')
  await sandbox.ok(['run', '--with', 'db', '--with', 'other', '--', 'true'], { cwd: folder, env: { MARK: 'second' } })
  t.strictSame(await running(), ['disk', 'db'])
  t.equal((await sandbox.service(folder, 'db')).pid, before.pid)
  t.equal((await sandbox.ok(['run', 'db', 'printenv', 'MARK'], { cwd: folder })).stdout, 'first\n')

  t.comment('what does not start')
  const failed = await sandbox.run(['run', '--with', 'broken', '--with', 'other', '--', 'echo', 'ran'], { cwd: folder })
  t.match(failed, { code: 1, stdout: '', stderr: /service 'broken' failed/ })
  t.strictSame(await running(), ['disk', 'db'])
  t.match(await sandbox.run(['run', '--with', 'dbb', '--', 'true'], { cwd: folder }), {
    code: 2,
    stderr: /Did you mean 'db'/,
  })
  t.match(await sandbox.run(['run', '--with', ',', '--', 'true'], { cwd: folder }), { code: 2 })
  await sandbox.ok(['stop'], { cwd: folder })
})

t.test('run --with leaves what another one uses, and stops it when it is killed', async t => {
  const { sandbox, folder, running, start, finish } = project(t)
  const one = await start('one', ['run', '--with', 'db'])
  const two = await start('two', ['run', '--with', 'db,other'])
  finish('one')
  t.equal((await one.done).code, 0)
  t.strictSame(await running(), ['disk', 'db', 'other'])
  t.match((await sandbox.ok(['status'], { cwd: folder })).stdout, /lease of locald run \(pid \d+\)/)
  finish('two')
  t.equal((await two.done).code, 0)
  t.strictSame(await running(), [])

  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const name = signal.toLowerCase()
    const killed = await start(name, ['run', '--with', 'db'])
    t.strictSame(await running(), ['disk', 'db'])
    const exited = once(killed.child, 'exit', { signal: AbortSignal.timeout(10_000) })
    killed.child.kill(signal)
    t.strictSame(await exited, signal === 'SIGTERM' ? [143, null] : [null, 'SIGKILL'])
    await until(`all to stop after ${signal}`, async () => (await running()).length === 0)
    finish(name)
    await killed.done
  }
})
