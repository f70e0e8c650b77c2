import { readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { processList } from '../lib/process-list.ts'
import { until } from '../lib/running.ts'
import { onHost } from './suite.ts'

const server = `import { createServer } from 'node:http'
createServer((_, response) => response.end(process.env.GREETING ?? 'hello')).listen(Number(process.env.PORT), '127.0.0.1')
`
const head = '[project]\nname = "shop"\n'
const web = '[services.web]\ncommand = "node server.mjs"\n'
const api = '[services.api]\ncommand = "node server.mjs"\nenv = { GREETING = "one" }\n'

onHost('changed files', async (t, machine) => {
  const sandbox = machine.sandbox()
  const folder = sandbox.project('shop', { 'locald.toml': head + web + api, 'server.mjs': server })
  const file = join(folder, 'locald.toml')
  await sandbox.up(folder)
  const pid = async (name: string) => (await sandbox.service(folder, name)).pid
  const body = (host: string) => async () => (await sandbox.get(host)).body

  await t.test('a changed locald.toml restarts only the changed services', async t => {
    const before = await pid('web')
    sandbox.write(file, head + web + api.replace('one', 'two'))
    await until('the new greeting', async () => (await body('api.shop.localhost')()) === 'two')
    t.equal(await pid('web'), before)
  })

  await t.test('starts a new service, stops a removed one', async () => {
    sandbox.write(file, `${head + web}[services.new]\ncommand = "node server.mjs"\n`)
    await until('new runs', async () => {
      const names = (await sandbox.status(folder)).filter(({ status }) => status === 'running').map(({ name }) => name)
      return names.join() === 'web,new' || names.join() === 'new,web'
    })
    sandbox.write(file, head + web + api)
    await until('api runs', async () =>
      (await sandbox.status(folder)).some(({ name, status }) => name === 'api' && status === 'running'),
    )
  })

  await t.test('an invalid file changes nothing and is reported', async t => {
    const before = [await pid('web'), await pid('api')]
    sandbox.write(file, `${head + web + api}[services.x]\ncomand = "y"\n`)
    const log = join(
      sandbox.home,
      machine.os === 'darwin' ? 'Library/Application Support' : 'data',
      'locald',
      'sandboxes',
      sandbox.name,
      'data',
      'daemon.log',
    )
    await until('the warning', () => readFileSync(log, 'utf8').includes('could not apply the configuration change'))
    t.same([await pid('web'), await pid('api')], before)
    const reason = async () => (await sandbox.service(folder, 'web')).reason
    t.match(await reason(), /^could not apply the configuration change: locald\.toml.*comand/)
    sandbox.write(file, head + web + api)
    await until('nothing to say', async () => (await reason()) === null)
  })

  await t.test('applies an .env file that is created, changed and deleted', async t => {
    const before = await pid('api')
    sandbox.write(join(folder, '.env'), 'GREETING=from .env\n')
    await until('the greeting of .env', async () => (await body('shop.localhost')()) === 'from .env')
    t.equal(await pid('api'), before, 'a service that has its own value is left alone')
    sandbox.write(join(folder, '.env'), 'GREETING=changed\n')
    await until('the changed greeting', async () => (await body('shop.localhost')()) === 'changed')
    rmSync(join(folder, '.env'))
    await until('no greeting', async () => (await body('shop.localhost')()) === 'hello')
  })

  await t.test("applies a parent folder's configuration that is deleted and restored", async () => {
    const inner = sandbox.project('layers/inner', {
      'locald.toml': `[project]\nname = "inner"\n${web}`,
      'server.mjs': server,
    })
    const layer = join(inner, '..', '.locald.toml')
    sandbox.write(layer, '[env]\nGREETING = "from above"\n')
    await sandbox.up(inner)
    const greeting = body('inner.localhost')
    await until('the greeting of the layer', async () => (await greeting()) === 'from above')
    rmSync(layer)
    await until('none', async () => (await greeting()) === 'hello')
    sandbox.write(layer, '[env]\nGREETING = "from above again"\n')
    await until('the greeting of the layer again', async () => (await greeting()) === 'from above again')
    await sandbox.ok(['stop'], { cwd: inner })
  })

  await t.test('`watch` restarts on a matching change, and only then', async t => {
    const other = sandbox.project('watched', {
      'locald.toml': `[project]\nname = "watched"\n[services.web]\ncommand = "cat src/deep/text.txt; exec node server.mjs"\nwatch = ["src/**/*.txt"]\n`,
      'server.mjs': server,
      'src/deep/text.txt': 'first\n',
      'src/node_modules/x.txt': '',
    })
    await sandbox.up(other)
    const { pid } = await sandbox.service(other, 'web')
    sandbox.write(join(other, 'src/other.md'), 'no match')
    sandbox.write(join(other, 'src/node_modules/x.txt'), 'ignored')
    sandbox.write(join(other, 'src/deep/text.txt'), 'second\n')
    await until('the second start', async () => (await sandbox.logs(other)).some(({ text }) => text === 'second'))
    await sandbox.ok(['wait'], { cwd: other })
    const after = await sandbox.service(other, 'web')
    t.not(after.pid, pid)
    t.equal(
      (await sandbox.logs(other)).filter(({ text }) => text === 'first' || text === 'second').length,
      2,
      'one restart',
    )
  })

  await t.test('a changed PATH restarts nothing and is reported', async t => {
    const before = await pid('web')
    const { stdout } = await sandbox.ok(['up', '--json'], { cwd: folder, env: { NODE_ENV: 'test', TERM: 'other' } })
    t.match(stdout, /"message":"NODE_ENV changed in this shell since .*Run `locald restart /)
    t.equal(await pid('web'), before)
  })

  await t.test('stopped services stay stopped', async t => {
    await sandbox.ok(['stop', 'web'], { cwd: folder })
    const follower = sandbox.start(['up', 'api', '--attach'], { cwd: folder })
    await until('it is followed', () => follower.stderr.includes('Press Ctrl-C to stop'))
    sandbox.write(file, head + web + api.replace('one', 'three'))
    await until('the third greeting', async () => (await body('api.shop.localhost')()) === 'three')
    t.equal((await sandbox.service(folder, 'web')).status, 'stopped')
    await until('what it says', () => follower.stderr.includes('locald | api is restarting: locald.toml changed\n'))
    sandbox.write(file, 'broken')
    await until('what is wrong', () => follower.stderr.includes('locald.toml:1: '))
    sandbox.write(file, head + web + api.replace('one', 'three'))
    await until('that it is right again', () =>
      follower.stderr.includes('locald | shop: applied the corrected configuration\n'),
    )
    follower.child.kill('SIGKILL')
  })

  await t.test('stopped dependencies stay stopped, and a rewritten file without changes does nothing', async t => {
    const job = '[services.job]\ntype = "worker"\ncommand = "echo it ran"\n'
    const plan = `${head.replace('shop', 'needy')}${web}depends_on = ["api"]\n${api}${job}`
    const other = sandbox.project('needy', { 'locald.toml': plan, 'server.mjs': server })
    await sandbox.up(other)
    await sandbox.ok(['stop', 'api'], { cwd: other })
    const { pid } = await sandbox.service(other, 'web')
    sandbox.write(join(other, 'locald.toml'), plan.replace('["api"]', '["api"]\nenv = { GREETING = "changed" }'))
    await until('the changed greeting', async () => (await body('needy.localhost')()) === 'changed')
    const runs = (await sandbox.logs(other, ['job'])).filter(({ text }) => text === 'it ran')
    t.equal(runs.length, 1, 'a job that is done and did not change is not run again')
    await sandbox.ok(['restart', 'web'], { cwd: other })
    sandbox.write(join(other, 'locald.toml'), plan)
    sandbox.write(join(other, '.env'), 'GREETING=from .env\n')
    await until('the greeting of .env', async () => (await body('needy.localhost')()) === 'from .env')
    const [first, second] = await Promise.all([sandbox.service(other, 'web'), sandbox.service(other, 'api')])
    t.not(first.pid, pid)
    t.equal(second.status, 'stopped')
    t.equal(first.reason, 'dependency api is stopped')
  })

  await t.test('a moved folder is reported as moved', async t => {
    const other = sandbox.project('moved', {
      'locald.toml': `${head.replace('shop', 'moved')}${web}`,
      'server.mjs': server,
    })
    await sandbox.up(other)
    renameSync(other, `${other}-away`)
    const reason = async () => (await sandbox.status()).find(({ project }) => project === 'moved')?.reason
    await until('the reason', async () => (await reason())?.startsWith(`the folder ${other} was moved`))
    await sandbox.ok(['stop', 'moved'])
    t.equal(await reason(), null, 'it is no news of what does not run')
  })

  await t.test('a renamed project is still watched', async () => {
    const named = (name: string, greeting: string) =>
      `${head.replace('shop', name)}${web}env = { GREETING = "${greeting}" }\n`
    const other = sandbox.project('renamed', { 'locald.toml': named('before', 'one'), 'server.mjs': server })
    await sandbox.up(other)
    sandbox.write(join(other, 'locald.toml'), named('after', 'one'))
    await until('its new name', async () => (await body('after.localhost')()) === 'one')
    sandbox.write(join(other, 'locald.toml'), named('after', 'two'))
    await until('a change below the new name', async () => (await body('after.localhost')()) === 'two')
    await sandbox.ok(['stop'], { cwd: other })
  })

  await t.test('ups at the same time of a project that got another name start it once', async t => {
    const slow = `trap "sleep 1; exit" TERM; while :; do sleep 0.1; done`
    const named = (name: string) =>
      `[project]\nname = "${name}"\n[services.slow]\ntype = "worker"\ncommand = '${slow}'\n`
    const other = sandbox.project('twice', { 'locald.toml': named('once') })
    await sandbox.up(other)
    sandbox.write(join(other, 'locald.toml'), named('again'))
    await Promise.all([1, 2, 3].map(() => sandbox.up(other)))
    await sandbox.ok(['stop'], { cwd: other })
    const left = sandbox.processes().filter(({ command }) => command.includes(slow))
    t.strictSame(left, [])
  })

  await t.test('a stopped service does not start when all running ones are removed', async t => {
    sandbox.write(file, head + web)
    await until('api removed', async () => (await sandbox.status(folder)).every(({ name }) => name !== 'api'))
    const { code } = await sandbox.run(['wait', '--timeout', '2', 'web'], { cwd: folder })
    t.not(code, 0, 'web does not become ready')
  })

  await t.test('the next daemon applies changes made while none ran, and nothing else', async t => {
    const services = ['quiet', 'watching', 'configured'].map(
      name =>
        `[services.${name}]\ntype = "worker"\ncommand = "cat src/text.txt; echo $GREETING; exec sleep 1000"\nenv = { GREETING = "of ${name}" }\n`,
    )
    const [quiet = '', watching = '', configured = ''] = services
    const plan = `[project]\nname = "between"\n${quiet}${configured}${watching}watch = ["src"]\n`
    const other = sandbox.project('between', { 'locald.toml': plan, 'src/text.txt': 'first\n' })
    await sandbox.up(other)
    const pids = async () => {
      const found = await sandbox.status(other)
      return new Map(found.map(({ name, pid }) => [name, pid]))
    }
    const before = await pids()
    const { pid: daemon } = await sandbox.server()
    process.kill(daemon, 'SIGTERM')
    await until('the end of the daemon', () => !processList.isAlive(daemon))
    sandbox.write(join(other, 'src/text.txt'), 'second\n')
    sandbox.write(join(other, 'more.env'), 'MORE=1\n')
    const changed = plan.replace(
      /env = .*of configured.*/,
      'env_file = "more.env"\nenv = { GREETING = "changed meanwhile" }',
    )
    sandbox.write(join(other, 'locald.toml'), changed)
    await until('both changes', async () => {
      const texts = (await sandbox.logs(other)).map(({ service, text }) => `${service}: ${text}`)
      return texts.includes('between:watching: second') && texts.includes('between:configured: changed meanwhile')
    })
    await sandbox.ok(['wait'], { cwd: other })
    const after = await pids()
    t.equal(after.get('quiet'), before.get('quiet'))
    t.not(after.get('watching'), before.get('watching'))
    t.match((await sandbox.ok(['why', 'watching'], { cwd: other })).stdout, /files changed while the daemon was down/)
    await sandbox.ok(['stop'], { cwd: other })
  })
})
