import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { until } from '../lib/running.ts'
import { Sandbox } from '../lib/sandbox.ts'
import { root } from '../lib/user.ts'
import { count, crash, db, environmentOf, isComplete, network, query, shop, urlOf, writer } from './postgres-shop.ts'

// On a busy machine: ms.
t.setTimeout(600_000)

t.test('locald up with a database', async t => {
  const sandbox = new Sandbox(t)
  const folder = sandbox.project('shop', shop())
  const env = { DATABASE_URL: 'postgresql://production/', PGHOST: 'production' }
  const events = await sandbox.up(folder, [], { env })

  const given = await environmentOf(sandbox, 'shop.localhost')
  const url = given['DATABASE_URL'] ?? ''
  t.match(url, /^postgresql:\/\/postgres:[0-9a-f]{32}@127\.0\.0\.1:\d+\/shop$/)
  t.match(given, { PGHOST: '127.0.0.1', PGUSER: 'postgres', PGDATABASE: 'shop', PGPORT: new URL(url).port })
  t.match(await query(url, 'SELECT 1 AS one'), [{ one: 1 }])
  t.match(await query(url.replace(/shop$/, 'shop_test'), 'SELECT 1 AS one'), [{ one: 1 }])
  const other = await environmentOf(sandbox, 'other.shop.localhost')
  t.match(other, { ELSEWHERE: url, DATABASE_URL: 'postgresql://production/' }, 'no dependency: only what it asks for')
  t.notMatch(JSON.stringify(events), new URL(url).password, 'no password in events')
  t.match(await sandbox.service(folder, 'db'), { status: 'running', health: 'healthy', url: null })
  const declared = await sandbox.ok(['run', 'db', 'place', '--note', '$HOME; exit 9'], { cwd: folder })
  t.equal(declared.stdout, `$HOME; exit 9\n${url}\nshop\n${url}\n`, 'a command of the database')
  if (spawnSync('psql', ['--version']).status === 0) {
    const ran = await sandbox.ok(['run', 'db', '--', 'psql', '-XAtc', 'SELECT current_database()'], { cwd: folder })
    t.equal(ran.stdout, 'shop\n')
  }

  await t.test('variables of the project take precedence', async t => {
    sandbox.write(join(folder, '.env'), 'DATABASE_URL=mine\n')
    await sandbox.up(folder)
    t.match(await environmentOf(sandbox, 'shop.localhost'), { DATABASE_URL: 'mine', PGHOST: '127.0.0.1' })
    rmSync(join(folder, '.env'))
    await sandbox.up(folder)
  })

  await t.test('service reset empties the database', async t => {
    await query(url, 'CREATE TABLE dropped (id int)')
    const { pid } = await sandbox.service(folder, 'db')
    t.equal((await sandbox.ok(['service', 'reset', 'db'], { cwd: folder })).stdout, 'Reset db\n')
    t.match(await sandbox.service(folder, 'db'), { status: 'running', health: 'healthy' })
    t.not((await sandbox.service(folder, 'db')).pid, pid)
    const fresh = (await environmentOf(sandbox, 'shop.localhost'))['DATABASE_URL'] ?? ''
    t.match(await query(url, "SELECT to_regclass('dropped') AS dropped"), [{ dropped: null }])
    t.equal(fresh, url, 'the same address and password')
    const kept = await sandbox.run(['service', 'reset', 'web'], { cwd: folder })
    t.equal(kept.code, 2)
    t.match(kept.stderr, /services of type 'exec' have no data to reset \[USAGE]/)
  })

  await t.test('a failed reset is reported and changes nothing', async t => {
    await query(url, 'CREATE TABLE kept AS SELECT 1 AS i')
    const [cluster] = await query(url, "SELECT current_setting('data_directory') AS folder")
    const data = dirname(String(cluster?.['folder']))
    chmodSync(data, 0o500)
    const ran = await sandbox.run(['service', 'reset', 'db'], { cwd: folder })
    chmodSync(data, 0o700)
    t.equal(ran.code, 1)
    t.match(ran.stderr, /^Error: \S+\/db cannot be used: EACCES.*\nHint: Make that folder writable/m)
    // It is started again, which may have met the folder as it was.
    await until('the database has started or failed', async () =>
      ['running', 'failed'].includes((await sandbox.service(folder, 'db')).status),
    )
    await sandbox.up(folder)
    t.equal(await count(url, 'kept'), 1)
  })

  await t.test('loses nothing when the daemon is killed; the next one adopts the server', async t => {
    const before = await sandbox.service(folder, 'db')
    const writing = await writer(url)
    await until('rows', () => writing.last() > 20)
    process.kill((await sandbox.server()).pid, 'SIGKILL')
    const at = writing.last()
    await until('rows without a daemon', () => writing.last() > at + 20)
    await sandbox.up(folder)
    await writing.stop()
    t.equal(writing.breaks(), 0, 'clients noticed nothing')
    t.equal((await sandbox.service(folder, 'db')).pid, before.pid)
    await isComplete(t, url, writing.last())
  })

  await t.test('loses nothing when the server is killed; it restarts', async t => {
    const { pid } = await sandbox.service(folder, 'db')
    const writing = await writer(url)
    await until('rows', () => writing.last() > 20)
    process.kill(pid ?? 0, 'SIGKILL')
    await until('a break', () => writing.breaks() > 0)
    const at = writing.last()
    await until('rows again', () => writing.last() > at + 20, 30_000)
    await writing.stop()
    await isComplete(t, url, writing.last())
  })

  await t.test('loses nothing when the keeper is killed; the server restarts', async t => {
    const { pid } = await sandbox.service(folder, 'db')
    const keeper = sandbox.processes().find(({ command }) => / run .*cluster_name=shop:db/.test(command))
    const writing = await writer(url)
    await until('rows', () => writing.last() > 20)
    process.kill(keeper?.pid ?? 0, 'SIGKILL')
    await until('a break', () => writing.breaks() > 0)
    const at = writing.last()
    await until('rows again', () => writing.last() > at + 20, 30_000)
    await writing.stop()
    t.not((await sandbox.service(folder, 'db')).pid, pid)
    await isComplete(t, url, writing.last())
  })

  await t.test('loses nothing when all processes are killed at once', async t => {
    const writing = await writer(url)
    await until('rows', () => writing.last() > 20)
    crash(sandbox)
    await until('a break', () => writing.breaks() > 0)
    await sandbox.up(folder)
    const at = writing.last()
    await until('rows again', () => writing.last() > at + 20, 30_000)
    await writing.stop()
    await isComplete(t, url, writing.last())
  })
})

const dumper = spawnSync('pg_dumpall', ['--version'], { encoding: 'utf8' })
const dumps = Number(/PostgreSQL\) (\d+)/.exec(dumper.stdout ?? '')?.[1] ?? 0)

t.test(
  'upgrades the major version and keeps the data',
  { skip: dumps < 15 ? 'needs pg_dumpall of 15 or later' : false },
  async t => {
    const sandbox = new Sandbox(t, { env: network })
    const folder = sandbox.project('shop', shop('14'))
    await sandbox.up(folder, ['db'])
    const url = await urlOf(sandbox, folder)
    await query(url, "CREATE TABLE t AS SELECT generate_series(1, 1000) AS i; CREATE ROLE app LOGIN PASSWORD 'x'")
    sandbox.write(join(folder, 'locald.toml'), shop('15')['locald.toml'])
    const refused = await sandbox.run(['up', 'db'], { cwd: folder })
    t.equal(refused.code, 1)
    t.match(refused.stderr, /its data is of PostgreSQL 14, not 15/)
    t.match(await db(sandbox, folder, 'upgrade'), { exitCode: 0, data: { from: '14', to: '15', kept: 'before-15' } })
    await sandbox.up(folder, ['db'])
    t.equal(await count(url), 1000)
    t.match(await query(url, "SELECT current_setting('server_version') AS v"), [{ v: /^15\./ }])
    t.match(await query(url.replace(/postgres:[0-9a-f]+@/, 'app:x@'), 'SELECT current_user AS me'), [{ me: 'app' }])
    t.match(await db(sandbox, folder, 'upgrade'), {
      error: { code: 'STEP_FAILED', message: /the requested version is 15/ },
    })
  },
)

const example = join(root, 'examples', 'notes')
if (!existsSync(join(example, 'node_modules')))
  throw new Error(`run \`npm ci\` in ${example}, or all tests by \`npm test\``)

t.test('the example migrates with Drizzle and restores a snapshot', async t => {
  const sandbox = new Sandbox(t)
  const folder = sandbox.copy(example, 'notes')
  await sandbox.up(folder)
  t.match(await sandbox.service(folder, 'migrate'), { status: 'exited', reason: 'exited with code 0' })
  const write = (text: string) =>
    sandbox.ok(['run', 'web', '--', 'node', '--input-type=module', '-e', insert, text], { cwd: folder })
  await write('buy milk')
  const read = async () => {
    const notes: readonly { readonly text: string }[] = JSON.parse((await sandbox.get('notes.localhost')).body)
    return notes.map(({ text }) => text)
  }
  t.strictSame(await read(), ['buy milk'])
  await db(sandbox, folder, 'snapshot', 'milk')
  await write('buy bread')
  t.strictSame(await read(), ['buy bread', 'buy milk'])
  await db(sandbox, folder, 'restore', 'milk')
  await until('the pool has connected again', async () => (await sandbox.get('notes.localhost')).status === 200)
  t.strictSame(await read(), ['buy milk'])
  await sandbox.ok(['restart', 'migrate'], { cwd: folder })
  t.strictSame(await read(), ['buy milk'], 'migrations are run once')
})

const insert = `
  import pg from 'pg'
  const client = new pg.Client({ connectionString: process.env.DATABASE_URL })
  await client.connect()
  await client.query('INSERT INTO notes (text) VALUES ($1)', [process.argv[1]])
  await client.end()
`
