import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import pg from 'pg'
import t, { type Test } from 'tap'
import { until } from './running.ts'
import { Sandbox } from './sandbox.ts'

const ca = process.env['NODE_EXTRA_CA_CERTS']
const network = ca === undefined ? {} : { NODE_EXTRA_CA_CERTS: ca }

const web = `import { createServer } from 'node:http'
createServer((_, answer) => answer.end(JSON.stringify(process.env))).listen(process.env.PORT, '127.0.0.1')
`

const shop = (version = '') => ({
  'locald.toml': `[project]
name = "shop"

[services.web]
command = "node web.mjs"
depends_on = ["db"]

[services.other]
command = "node web.mjs"
env = { ELSEWHERE = "\${services.db.url}" }

[services.db]
type = "postgres"
databases = ["shop", "shop_test"]
${version === '' ? '' : `version = "${version}"`}
`,
  'web.mjs': web,
})

/** What a plugin's command answers. */
interface Answer {
  readonly exitCode?: number
  readonly text?: string
  readonly data?: Readonly<Record<string, unknown>>
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string }
}

/** `locald db …`, as the CLI asks for it. */
async function db(sandbox: Sandbox, cwd: string, ...argv: string[]): Promise<Answer> {
  const { socket } = await sandbox.server()
  return ask(socket, cwd, argv)
}

function ask(socketPath: string, cwd: string, argv: readonly string[]): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' }
    const call = request({ socketPath, path: '/v1/commands/db', method: 'POST', headers }, answer => {
      json(answer).then(value => resolve(Object(value)), reject)
    })
    call.once('error', reject)
    call.end(JSON.stringify({ argv, cwd }))
  })
}

async function environmentOf(sandbox: Sandbox, host: string): Promise<Record<string, string>> {
  return JSON.parse((await sandbox.get(host)).body)
}

async function urlOf(sandbox: Sandbox, folder: string): Promise<string> {
  const ran = await sandbox.ok(['run', 'db', '--', 'printenv', 'DATABASE_URL'], { cwd: folder })
  return ran.stdout.trim()
}

async function query(url: string, sql: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows
  } finally {
    await client.end()
  }
}

async function count(url: string, table = 't'): Promise<number> {
  return Number((await query(url, `SELECT count(*) FROM ${table}`))[0]?.['count'])
}

interface Writer {
  /** The last row that was acknowledged. */
  last(): number
  /** Its connections broke this many times. */
  breaks(): number
  stop(): Promise<void>
}

/** Writes rows one by one, and connects again whenever the connection breaks. */
async function writer(url: string): Promise<Writer> {
  await query(url, 'CREATE TABLE IF NOT EXISTS written (n int PRIMARY KEY)')
  let n = Number((await query(url, 'SELECT coalesce(max(n), 0) AS n FROM written'))[0]?.['n'])
  let [goesOn, breaks] = [true, 0]
  const done = (async () => {
    while (goesOn) {
      const client = new pg.Client({ connectionString: url })
      client.on('error', () => {})
      try {
        await client.connect()
        for (; goesOn; n++) {
          await client.query('INSERT INTO written VALUES ($1) ON CONFLICT DO NOTHING', [n + 1])
        }
      } catch {
        breaks++
        await new Promise(wake => setTimeout(wake, 20))
      } finally {
        await client.end().catch(() => {})
      }
    }
  })()
  const stop = () => {
    goesOn = false
    return done
  }
  return { last: () => n, breaks: () => breaks, stop }
}

async function isComplete(t: Test, url: string, last: number): Promise<void> {
  const [row] = await query(url, 'SELECT count(*)::int AS count, max(n) AS last FROM written')
  t.ok(Number(row?.['last']) >= last, `${last} were acknowledged, ${row?.['last']} are there`)
  t.equal(row?.['count'], row?.['last'], 'without a gap')
}

function unfinished(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(name => name.includes('.unfinished-'))
}

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
  if (spawnSync('psql', ['--version']).status === 0) {
    const ran = await sandbox.ok(['run', 'db', '--', 'psql', '-XAtc', 'SELECT current_database()'], { cwd: folder })
    t.equal(ran.stdout, 'shop\n')
  }

  await t.test('what the project sets itself stays', async t => {
    sandbox.write(join(folder, '.env'), 'DATABASE_URL=mine\n')
    await sandbox.up(folder)
    t.match(await environmentOf(sandbox, 'shop.localhost'), { DATABASE_URL: 'mine', PGHOST: '127.0.0.1' })
    rmSync(join(folder, '.env'))
    await sandbox.up(folder)
  })

  await t.test('nothing is lost when the daemon is killed; the next takes it over', async t => {
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

  await t.test('nothing is lost when the server is killed; it comes back by itself', async t => {
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

  await t.test('nothing is lost when all of it is killed at once', async t => {
    const writing = await writer(url)
    await until('rows', () => writing.last() > 20)
    for (const { pid } of sandbox.processes()) process.kill(pid, 'SIGKILL')
    await until('a break', () => writing.breaks() > 0)
    await sandbox.up(folder)
    const at = writing.last()
    await until('rows again', () => writing.last() > at + 20, 30_000)
    await writing.stop()
    await isComplete(t, url, writing.last())
  })
})

t.test('snapshots and branches', async t => {
  const sandbox = new Sandbox(t)
  const folder = sandbox.project('shop', shop())
  await sandbox.up(folder, ['db'])
  const url = await urlOf(sandbox, folder)
  await query(url, 'CREATE TABLE t AS SELECT generate_series(1, 1000) AS i')

  await t.test('a snapshot is taken while clients write, and gone back to', async t => {
    const writing = await writer(url)
    await until('rows', () => writing.last() > 20)
    const before = writing.last()
    t.match(await db(sandbox, folder, 'snapshot', 'one'), { exitCode: 0, text: /^Snapshot 'one' of shop:db, in / })
    const after = writing.last()
    await until('more rows', () => writing.last() > after + 20)
    await writing.stop()
    t.equal(writing.breaks(), 0, 'clients noticed nothing')
    await query(url, 'DELETE FROM t')
    t.match(await db(sandbox, folder, 'restore', 'one'), { exitCode: 0, data: { kept: 'before-restore' } })
    t.match(await sandbox.service(folder, 'db'), { status: 'running', health: 'healthy' })
    t.equal(await count(url), 1000)
    const [row] = await query(url, 'SELECT count(*)::int AS count, max(n) AS last FROM written')
    t.ok(Number(row?.['last']) >= before && Number(row?.['last']) < writing.last(), 'as of the time it was taken')
    t.equal(row?.['count'], row?.['last'], 'without a gap')
    t.match(await db(sandbox, folder, 'restore', 'before-restore'), { exitCode: 0 })
    t.equal(await count(url), 0, 'a restore can be undone')
    await db(sandbox, folder, 'restore', 'one')
  })

  await t.test('a snapshot of a stopped cluster', async t => {
    await sandbox.ok(['stop'], { cwd: folder })
    t.match(await db(sandbox, folder, 'snapshot', 'two'), { exitCode: 0 })
    t.match(await db(sandbox, folder, 'snapshot', 'two'), { error: { code: 'USAGE', message: /already/ } })
    await db(sandbox, folder, 'restore', 'two')
    t.match((await sandbox.service(folder, 'db')).status, 'stopped', 'a restore starts nothing that did not run')
    await sandbox.up(folder, ['db'])
    t.equal(await count(url), 1000)
  })

  await t.test('a branch is another database, made while clients are connected', async t => {
    const writing = await writer(url)
    await until('rows', () => writing.last() > 20)
    t.match(await db(sandbox, folder, 'branch', 'feature'), { exitCode: 0, data: { from: 'shop', branch: 'feature' } })
    const at = writing.last()
    await until('rows again', () => writing.last() > at + 20)
    await writing.stop()
    const branch = url.replace(/shop$/, 'feature')
    await query(branch, 'DELETE FROM t')
    t.equal(await count(url), 1000, 'isolated')
    await isComplete(t, url, writing.last())
    t.match(await db(sandbox, folder, 'branch', 'feature'), { error: { message: /already exists/ } })
    t.match(await db(sandbox, folder, 'branch', 'x', '--from', 'nosuch'), { error: { code: 'STEP_FAILED' } })
  })

  await t.test('are listed and dropped', async t => {
    const listed = await db(sandbox, folder, 'list')
    t.match(listed.data, {
      snapshots: [{ name: 'before-restore' }, { name: 'one' }, { name: 'two' }],
      branches: [{ name: 'feature', from: 'shop' }],
    })
    t.match(listed.text, /one +snapshot +\d+ MB/)
    for (const name of ['one', 'feature']) t.match(await db(sandbox, folder, 'drop', name), { exitCode: 0 })
    for (const name of ['one', 'feature', 'shop', '../two', 'postgres']) {
      t.match(await db(sandbox, folder, 'drop', name), { error: { code: 'USAGE', message: /no snapshot or branch/ } })
    }
    t.equal(await count(url), 1000)
  })

  await t.test('wrong words', async t => {
    t.match(await db(sandbox, folder), { exitCode: 2, text: /locald db snapshot/ })
    t.match(await db(sandbox, folder, 'list', '--help'), { exitCode: 0, text: /locald db snapshot/ })
    for (const argv of [['nosuch'], ['restore'], ['restore', 'nosuch'], ['snapshot', '../x'], ['list', '--nosuch']]) {
      t.match(await db(sandbox, folder, ...argv), { error: { code: 'USAGE', hint: /./ } }, argv.join(' '))
    }
    t.match(await db(sandbox, sandbox.home, 'list'), { error: { code: 'UNKNOWN_SERVICE' } })
    t.match(await db(sandbox, sandbox.home, 'list', '--service', 'shop:db'), { exitCode: 0 })
  })

  await t.test('what is interrupted leaves nothing half-made', async t => {
    await query(url, `CREATE TABLE big AS SELECT repeat(md5(i::text), 20) AS x FROM generate_series(1, 200000) i`)
    for (const [argv, delayMs] of [
      [['snapshot', 'cut'], 150],
      [['branch', 'cut'], 100],
      [['branch', 'cut'], 400],
      [['restore', 'two'], 250],
    ] as const) {
      const { pid, socket } = await sandbox.server()
      const asking = ask(socket, folder, argv).catch(() => undefined)
      await new Promise(wake => setTimeout(wake, delayMs))
      // A crash of everything, in the middle of it.
      for (const each of sandbox.processes()) process.kill(each.pid, 'SIGKILL')
      const answer = await asking
      await until('its end', () => !existsSync(`/proc/${pid}`) || sandbox.processes().length === 0)
      await sandbox.up(folder, ['db'])
      t.equal(await count(url), 1000, `${argv.join(' ')}: the data is whole (${answer === undefined ? 'cut' : 'done'})`)
      t.strictSame(unfinished(sandbox.home), [])
      const { data } = await db(sandbox, folder, 'list')
      const branches: readonly { readonly name: string }[] = Object(data)['branches']
      for (const { name } of branches) t.equal(await count(url.replace(/shop$/, name)), 1000, 'a branch is whole')
      for (const { name } of branches) await db(sandbox, folder, 'drop', name)
      await sandbox.ok(['restart', 'db'], { cwd: folder })
      const known = new Set((await query(url, 'SELECT oid::text AS oid FROM pg_database')).map(({ oid }) => oid))
      const [cluster] = await query(url, "SELECT current_setting('data_directory') AS folder")
      const folders = readdirSync(join(String(cluster?.['folder']), 'base')).filter(name => /^\d+$/.test(name))
      t.strictSame(
        folders.filter(name => !known.has(name)),
        [],
        'no files without a database',
      )
    }
  })
})

t.test('a git worktree', async t => {
  const sandbox = new Sandbox(t)
  const git = async (cwd: string, ...argv: string[]) => {
    const words = ['git', '-c', 'user.name=t', '-c', 'user.email=t@example.com', ...argv]
    const ran = await sandbox.spawn(words, { cwd }).done
    if (ran.code !== 0) throw new Error(ran.stderr)
  }
  const folder = sandbox.project('shop', shop())
  await git(folder, 'init', '-q', '-b', 'main')
  await git(folder, 'add', '.')
  await git(folder, 'commit', '-qm', 'first')
  await sandbox.up(folder, ['db'])
  const url = await urlOf(sandbox, folder)
  await query(url, 'CREATE TABLE t AS SELECT generate_series(1, 1000) AS i')
  const tree = join(sandbox.home, 'tree')
  await git(folder, 'worktree', 'add', '-q', '-b', 'feature/x', tree)

  const writing = await writer(url)
  await until('rows', () => writing.last() > 20)
  await sandbox.up(tree, ['db'])
  await writing.stop()
  t.equal(writing.breaks(), 0, "the main checkout's clients noticed nothing")
  const branch = await urlOf(sandbox, tree)
  t.not(new URL(branch).password, new URL(url).password)
  t.equal(await count(branch), 1000, "begins with the main checkout's data")
  const [row] = await query(branch, 'SELECT count(*)::int AS count, max(n) AS last FROM written')
  t.equal(row?.['count'], row?.['last'], 'of one moment')
  await query(branch, 'DELETE FROM t WHERE i > 10')
  t.equal(await count(url), 1000, 'isolated')
  await sandbox.ok(['stop'], { cwd: tree })
  await sandbox.up(tree, ['db'])
  t.equal(await count(branch), 10, 'branched once')
  t.match(await db(sandbox, tree, 'list'), { data: { branchOf: folder } })

  await t.test('that does not want a branch begins empty', async t => {
    const empty = join(sandbox.home, 'empty')
    await git(folder, 'worktree', 'add', '-q', '-b', 'empty', empty)
    sandbox.write(join(empty, 'locald.toml'), shop()['locald.toml'].replace('type = "postgres"', '$&\nbranch = false'))
    await sandbox.up(empty, ['db'])
    await t.rejects(count(await urlOf(sandbox, empty)), { code: '42P01' })
  })

  await t.test('that is gone is pruned, the others are not', async t => {
    t.match(await db(sandbox, folder, 'prune'), { data: { removed: [] } })
    const [cluster] = await query(branch, "SELECT current_setting('data_directory') AS folder")
    await git(folder, 'worktree', 'remove', '--force', tree)
    t.match(await db(sandbox, folder, 'prune'), { data: { removed: ['shop-feature-x:db'] } })
    t.notOk(existsSync(join(String(cluster?.['folder']), '..')))
    t.equal(await count(url), 1000)
    t.match(await db(sandbox, folder, 'prune'), { data: { removed: [] } })
  })
})

const dumper = spawnSync('pg_dumpall', ['--version'], { encoding: 'utf8' })
const dumps = Number(/PostgreSQL\) (\d+)/.exec(dumper.stdout ?? '')?.[1] ?? 0)

t.test('an upgrade', { skip: dumps < 15 ? 'needs pg_dumpall of 15 or later' : false }, async t => {
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
  t.match(await db(sandbox, folder, 'upgrade'), { error: { code: 'STEP_FAILED', message: /15 is asked for/ } })
})
