import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import postgres from 'postgres'
import t, { type Test } from 'tap'
import type { Instance } from '../../../kernel/contract/plugin.ts'
import { addClientVariables } from '../../../plugins/postgres/client-env.ts'
import { createBranch, listBranches } from '../../../plugins/postgres/cluster/branches.ts'
import { copyCluster } from '../../../plugins/postgres/cluster/copy.ts'
import { copyTree, placeFolder } from '../../../plugins/postgres/files/copy-tree.ts'
import { onlyLinux } from '../../lib/machine.ts'
import { processList } from '../../lib/process-list.ts'
import { PostgresHarness, ready, type Service } from './harness.ts'

// On a busy machine: ms.
t.setTimeout(600_000)

const isRoot = process.getuid?.() === 0
const gentle = { signal: 'SIGTERM', graceMs: 5000 }

const shared = new PostgresHarness(mkdtempSync(join(tmpdir(), 'pg-')))
t.teardown(() => shared.close())

/** What a daemon that was killed while it fetched a package or made a template leaves. No process has such a number. */
const left = ['versions', 'templates'].map(name =>
  join(shared.folders.data, 'postgres', name, `x.unfinished-${2 ** 30}-0a1b2c3d`),
)
for (const folder of left) mkdirSync(folder, { recursive: true })

/** Runs one query over a connection of its own. */
async function query(url: string, sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    const { rows } = await client.query<Record<string, unknown>>(sql, values)
    return rows
  } finally {
    await client.end()
  }
}

function hasProgram(name: string): boolean {
  return spawnSync(name, ['--version']).status === 0
}

/** Writes numbers, one committed row each, until the connection breaks; the last that was acknowledged. */
async function writeUntilBroken(url: string): Promise<{ readonly last: () => number; readonly broken: Promise<void> }> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  await client.query('CREATE TABLE IF NOT EXISTS written (n int PRIMARY KEY)')
  const start = Number((await client.query('SELECT coalesce(max(n), 0) AS n FROM written')).rows[0]?.n)
  let acknowledged = start
  const broken = (async () => {
    for (;;) {
      try {
        await client.query('INSERT INTO written VALUES ($1)', [acknowledged + 1])
      } catch {
        return
      }
      acknowledged++
    }
  })()
  return { last: () => acknowledged, broken }
}

async function until(what: string, look: () => boolean | Promise<boolean>, limitMs = 20_000): Promise<void> {
  const end = Date.now() + limitMs
  while (!(await look())) {
    if (Date.now() > end) throw new Error(`timed out waiting for ${what}`)
    await new Promise(wake => setTimeout(wake, 10))
  }
}

/** All that `written` must have after a crash. */
async function isComplete(t: Test, url: string, last: number): Promise<void> {
  const [row] = await query(url, 'SELECT count(*)::int AS count, max(n) AS last FROM written')
  const found = Number(row?.['last'])
  t.ok(found >= last, `acknowledged up to ${last}, found up to ${found}`)
  t.equal(row?.['count'], found, 'without a gap')
}

t.test('a database', async t => {
  const db = await shared.service('db', {
    databases: ['app', 'my "test"'],
    extensions: ['pgcrypto', 'pg_trgm'],
    settings: { work_mem: '7MB', application_name: "it's" },
  })
  const instance = await db.up()
  const url = db.url()
  t.strictSame(left.filter(existsSync), [], 'what an earlier daemon left half-made is gone')

  t.test('is the newest, complete, and lets nobody in without the password', async t => {
    const [row] = await query(
      url,
      `SELECT current_setting('server_version_num')::int / 10000 AS major, current_setting('fsync') AS fsync,
              current_setting('work_mem') AS work_mem, current_setting('application_name') AS name,
              current_setting('listen_addresses') AS addresses, current_setting('password_encryption') AS encryption,
              current_setting('data_checksums') AS checksums, 'Ä' < 'ä' AS bytewise, lower('Ä') AS lower`,
    )
    t.match(row, { major: 18, fsync: 'on', work_mem: '7MB', addresses: '127.0.0.1', encryption: 'scram-sha-256' })
    t.match(row, { checksums: 'on', bytewise: true, lower: 'ä' })
    t.equal(new URL(url).pathname, '/app')
    await t.rejects(query(url.replace(/:[0-9a-f]+@/, ':wrong@'), 'SELECT 1'), { code: '28P01' })
    await t.rejects(query(url.replace(/:[0-9a-f]+@/, '@'), 'SELECT 1'))
    const { socket = '', user = '', password } = db.exports()
    t.ok(socket.startsWith(join(shared.folders.sockets, 'p')), 'where paths have no white space')
    t.equal(lstatSync(socket).mode & 0o777, 0o700)
    t.equal(lstatSync(join(db.run.data, 'password')).mode & 0o777, 0o600)
    t.equal(readFileSync(join(db.run.data, 'password'), 'utf8').trim(), password)
    await t.rejects(query(`postgresql://${user}:wrong@/app?host=${encodeURIComponent(socket)}&port=${db.run.port}`, ''))
    if (isRoot) t.not(statSync(join(db.run.data, 'cluster')).uid, 0, 'the server is not root')
    t.notMatch(readFileSync(db.run.log.file, 'utf8'), password, 'the password is not in the log')
    t.notMatch(readFileSync(db.run.log.file, 'utf8'), /FATAL.*starting up/, 'no noise of our own probes')
  })

  t.test('has its databases and extensions', async t => {
    for (const name of ['app', 'my "test"']) {
      const found = await query(url.replace(/app$/, encodeURIComponent(name)), 'SELECT extname FROM pg_extension')
      t.ok(
        found.some(({ extname }) => extname === 'pgcrypto') && found.some(({ extname }) => extname === 'pg_trgm'),
        name,
      )
    }
  })

  t.test('serves pg, postgres and psql, by port and by socket', async t => {
    const { user = '', password = '', database = '', socket = '' } = db.exports()
    t.match(await query(`${url}?sslmode=disable`, 'SELECT $1::int + 1 AS n', [41]), [{ n: 42 }])
    const bySocket = new pg.Client({ host: socket, port: Number(db.run.port), user, password, database })
    await bySocket.connect()
    t.equal((await bySocket.query('SELECT current_database()')).rows[0]?.current_database, 'app')
    await bySocket.end()
    const sql = postgres(url, { max: 2 })
    t.match(await sql`SELECT ${[1, 2, 3]}::int[] AS list`, [{ list: [1, 2, 3] }])
    await sql.end()
    const python = ['python3', '/usr/bin/python3'].find(each => spawnSync(each, ['-c', 'import psycopg2']).status === 0)
    if (python !== undefined) {
      const script = 'import sys, psycopg2; print(psycopg2.connect(sys.argv[1]).info.dbname)'
      const ran = spawnSync(python, ['-c', script, url], { encoding: 'utf8' })
      t.equal(ran.stdout, 'app\n', ran.stderr)
    }
    if (!hasProgram('psql')) return
    const env = await shared.host.hooks.env.promise(
      { PATH: process.env['PATH'] ?? '', PGHOSTADDR: '192.0.2.1' },
      { key: db.run.key, name: 'db', type: 'postgres', project: db.run.project },
      {
        dir: db.run.dir,
        dependencies: [],
        isOwn: () => false,
        lookup: (_, field) =>
          field === 'port' ? String(db.run.port) : field === 'host' ? '127.0.0.1' : db.exports()[field],
      },
    )
    const psql = spawnSync('psql', ['-XAtc', 'SELECT current_user, current_database()'], { env, encoding: 'utf8' })
    t.equal(psql.stdout, 'postgres|app\n', psql.stderr)
    const bySocketToo = spawnSync('psql', ['-XAtc', 'SELECT 1'], { env: { ...env, PGHOST: socket }, encoding: 'utf8' })
    t.equal(bySocketToo.stdout, '1\n', bySocketToo.stderr)
  })

  t.test('stops fast with clients connected, and keeps what it has', async t => {
    const client = new pg.Client({ connectionString: url })
    client.on('error', () => {})
    await client.connect()
    await client.query('CREATE TABLE kept AS SELECT 1 AS one')
    await instance.stop(gentle)
    t.strictSame(await instance.exited, { code: 0, signal: null })
    await client.end().catch(() => {})
    const again = await db.up()
    t.match(await query(db.url(), 'SELECT one FROM kept'), [{ one: 1 }])
    t.match(db.steps.filter(step => /creating a cluster/.test(step)).length, 1, 'made once')

    await query(url.replace(/app$/, 'postgres'), 'DROP DATABASE "my ""test"""')
    await again.stop(gentle)
    await db.up()
    t.equal((await query(url, `SELECT 1 FROM pg_database WHERE datname = 'my "test"'`)).length, 1, 'made again')
    await shared.stop()
  })

  t.test('gets databases that are written down later, also as the first', async t => {
    const more = db.with({ options: { ...Object(db.run.options), databases: ['later', 'app'] } })
    await more.up()
    t.equal(new URL(more.url()).pathname, '/later')
    t.match(await query(more.url(), 'SELECT current_database() AS name'), [{ name: 'later' }])
    t.match(await query(url, 'SELECT one FROM kept'), [{ one: 1 }])
    await shared.stop()
  })
})

t.test('a branch', async t => {
  const db = await shared.service('branched')
  const instance = await db.up()
  const { user = '', password = '', database = '', socket = '' } = db.exports()
  const target = { host: socket, port: Number(db.run.port), user, password, database }
  const names = async () =>
    (await query(db.url(), 'SELECT datname FROM pg_database ORDER BY datname')).map(({ datname }) => datname)
  await query(db.url(), 'CREATE TABLE kept AS SELECT 1 AS one')

  await t.test('of the database that every cluster has, while it is used', async t => {
    const { last, broken } = await writeUntilBroken(db.url())
    await until('rows', () => last() > 20)
    for (const name of ['one', 'two', 'three']) await createBranch(target, 'postgres', name)
    await broken
    t.match(await query(db.url().replace(/postgres$/, 'two'), 'SELECT one FROM kept'), [{ one: 1 }])
    t.strictSame(
      (await listBranches(target)).map(({ name, from }) => `${name} of ${from}`),
      ['one', 'three', 'two'].map(name => `${name} of postgres`),
    )
  })

  await t.test('whose name is taken disconnects nobody', async t => {
    const { last, broken } = await writeUntilBroken(db.url())
    let isBroken = false
    void broken.then(() => {
      isBroken = true
    })
    await t.rejects(createBranch(target, 'postgres', 'one'), { code: 'STEP_FAILED', message: /"one" already exists/ })
    const at = last()
    await until('more rows', () => isBroken || last() > at + 20)
    t.notOk(isBroken)
  })

  await t.test('that a killed daemon did not finish is gone when the next one finds the server', async t => {
    const [whole, begun] = ['locald-unfinished-0a-0b', 'locald-unfinished-0a-0c']
    await query(db.url(), `CREATE DATABASE "${whole}"`)
    // Somebody uses the template: it waits.
    const user = new pg.Client({ connectionString: db.url().replace(/postgres$/, 'two') })
    user.on('error', () => {})
    await user.connect()
    const making = t.rejects(query(db.url(), `CREATE DATABASE "${begun}" TEMPLATE "two"`), { code: '57P01' })
    const looking = `SELECT 1 FROM pg_stat_activity WHERE query LIKE 'CREATE DATABASE "${begun}"%'`
    await until('it is being made', async () => (await query(db.url(), looking)).length === 1)
    const adopted = await shared.type?.adopt?.(db.run, structuredClone(instance.state))
    if (adopted === undefined) throw new Error('not adopted')
    await ready(shared.keep(adopted))
    await making
    await user.end()
    t.strictSame(await names(), ['one', 'postgres', 'template0', 'template1', 'three', 'two'])
  })
  await shared.stop()
})

t.test(
  'folders of databases that were being made when the server ended go at its next start, no matter what time they show',
  async t => {
    const db = await shared.service('orphans')
    const instance = await db.up()
    const base = join(db.run.data, 'cluster', 'base')
    const [old, fresh] = [join(base, '424242'), join(base, '424243')]
    await instance.stop(gentle)
    mkdirSync(old)
    const later = await db.up()
    t.notOk(existsSync(old))
    mkdirSync(fresh)
    utimesSync(fresh, 0, 0)
    const adopted = await shared.type?.adopt?.(db.run, structuredClone(later.state))
    if (adopted === undefined) throw new Error('not adopted')
    await ready(shared.keep(adopted))
    t.ok(existsSync(fresh), 'somebody may be making it')
    await later.stop(gentle)
  },
)

t.test('a server that does not want to stop', async t => {
  const db = await shared.service('stubborn')
  const instance = await db.up()
  const { pid } = instance
  if (pid === null) throw new Error('no pid')
  const { last, broken } = await writeUntilBroken(db.url())
  await until('rows', () => last() > 20)
  // A fast shutdown needs the checkpointer.
  const checkpointer = childrenOf(pid).find(({ name }) => name.includes('checkpointer'))
  if (checkpointer === undefined) throw new Error('no checkpointer')
  process.kill(checkpointer.pid, 'SIGSTOP')
  await instance.stop({ signal: 'SIGTERM', graceMs: 200 })
  await broken
  t.ok(await instance.exited)
  t.notOk(processList.isAlive(checkpointer.pid), 'nothing is left')
  await db.up()
  await isComplete(t, db.url(), last())
})

function childrenOf(pid: number): readonly { readonly pid: number; readonly name: string }[] {
  const ran = spawnSync('ps', ['-axww', '-o', 'pid=', '-o', 'ppid=', '-o', 'command='], { encoding: 'utf8' })
  return ran.stdout.split('\n').flatMap(line => {
    const [, id, parent, name] = /^\s*(\d+)\s+(\d+) (.*)$/.exec(line) ?? []
    return Number(parent) !== pid || name === undefined ? [] : [{ pid: Number(id), name }]
  })
}

t.test('nothing acknowledged is lost', async t => {
  const db = await shared.service('crash')
  let instance = await db.up()

  const kill = async (t: Test, pid: number | null | undefined) => {
    const { last, broken } = await writeUntilBroken(db.url())
    const before = last()
    await until('rows', () => last() > before + 20)
    if (typeof pid !== 'number') throw new Error('no pid')
    process.kill(pid, 'SIGKILL')
    await Promise.all([broken, instance.exited])
    instance = await db.up()
    await isComplete(t, db.url(), last())
  }
  await t.test('when the postmaster is killed', t => kill(t, instance.pid))
  await t.test('when the keeper is killed', t => kill(t, instance.tree?.keeper))
  await t.test('when a backend is killed: the server recovers by itself', async t => {
    const { last, broken } = await writeUntilBroken(db.url())
    await until('rows', () => last() > 20)
    const [row] = await query(db.url(), "SELECT pid FROM pg_stat_activity WHERE query LIKE 'INSERT%'")
    process.kill(Number(row?.['pid']), 'SIGKILL')
    await broken
    await ready(instance)
    await until('an answer', () =>
      query(db.url(), 'SELECT 1').then(
        () => true,
        () => false,
      ),
    )
    await isComplete(t, db.url(), last())
  })
  await t.test('when the daemon forgot it: the next start ends the server first', async t => {
    const { last, broken } = await writeUntilBroken(db.url())
    await until('rows', () => last() > 20)
    const { pid } = instance
    instance = await db.up()
    t.not(instance.pid, pid)
    await broken
    await isComplete(t, db.url(), last())
  })
  await t.test('when it is only started, as after a crash: that ends the server first, too', async t => {
    const { last, broken } = await writeUntilBroken(db.url())
    await until('rows', () => last() > 20)
    const { pid } = instance
    const half = join(db.run.data, 'cluster.next.unfinished-0-0a')
    mkdirSync(half)
    const started = await shared.type?.start(db.run)
    if (started === undefined) throw new Error('not started')
    instance = shared.keep(started)
    await ready(instance)
    t.not(instance.pid, pid)
    t.notOk(existsSync(half), 'and sweeps')
    await broken
    await isComplete(t, db.url(), last())
  })
  await t.test('when another daemon takes it over', async t => {
    const adopted = await shared.type?.adopt?.(db.run, structuredClone(instance.state))
    if (adopted === undefined) throw new Error('not adopted')
    shared.keep(adopted)
    t.equal(adopted.pid, instance.pid)
    t.ok(await adopted.probe?.())
    await adopted.stop(gentle)
    t.strictSame(await instance.exited, { code: 0, signal: null })
  })
})

t.test('a pid that another process has by now does not keep it from starting', async t => {
  const db = await shared.service('reused')
  const instance = await db.up()
  const { pid } = instance
  process.kill(pid ?? 0, 'SIGKILL')
  await instance.exited
  // What a crash of the machine leaves: the pids in both files are another process's now.
  const lock = join(db.run.data, 'cluster', 'postmaster.pid')
  const other = spawnSleep()
  t.teardown(() => other.kill('SIGKILL'))
  writeFileSync(lock, readFileSync(lock, 'utf8').replace(/^\d+/, String(other.pid)))
  writeFileSync(join(db.run.data, 'server.json'), JSON.stringify([{ pid: other.pid, start: 'earlier' }]))
  await db.up()
  t.match(await query(db.url(), 'SELECT 1 AS one'), [{ one: 1 }])
  t.equal(other.exitCode ?? other.signalCode, null, 'the other process is left alone')
})

function spawnSleep(): ChildProcess {
  // The same user as the server: PostgreSQL looks no further.
  return spawn('sleep', ['300'], { stdio: 'ignore', ...(isRoot ? { uid: 65534, gid: 65534 } : {}) })
}

t.test('init', async t => {
  const file = (text: string) => {
    mkdirSync(join(shared.root, 'projects', 'shop'), { recursive: true })
    writeFileSync(join(shared.root, 'projects', 'shop', 'schema.sql'), text)
  }
  const db = await shared.service('init', { databases: ['app'], init: 'schema.sql' })

  t.test('that is wrong names the line, and nothing is kept', async t => {
    file('CREATE TABLE one (n int);\n-- ä\nCREATE TABEL two (n int);\n')
    await t.rejects(db.up(), { code: 'STEP_FAILED', message: /^init: schema\.sql:3: syntax error/ })
    t.notOk(existsSync(join(db.run.data, 'cluster')))
    t.strictSame(readdirSync(db.run.data).sort(), ['password', 'server.json'])
    file('\\connect x\n')
    await t.rejects(db.up(), { message: /schema\.sql:1: psql command, not SQL/ })
    rmSync(join(shared.root, 'projects', 'shop', 'schema.sql'))
    await t.rejects(db.up(), { message: /schema\.sql cannot be read/ })
  })

  t.test('is run once', async t => {
    file('CREATE TABLE one (n int); INSERT INTO one VALUES (1);\n')
    const instance = await db.up()
    t.match(await query(db.url(), 'SELECT n FROM one'), [{ n: 1 }])
    await instance.stop(gentle)
    await db.up()
    t.equal((await query(db.url(), 'SELECT n FROM one')).length, 1)
  })

  t.test('is run again after a reset, which wipes the cluster and nothing else', async t => {
    await query(db.url(), 'DELETE FROM one')
    await query(db.url(), 'INSERT INTO one VALUES (7)')
    await shared.stop()
    const { password } = db.exports()
    mkdirSync(join(db.run.data, 'snapshots', 'kept'), { recursive: true })
    // What a restore would have put in its place, had it not been interrupted.
    mkdirSync(join(db.run.data, 'cluster.next'))
    await shared.type?.reset?.(db.run)
    t.notOk(existsSync(join(db.run.data, 'cluster.next')))
    t.strictSame(readdirSync(db.run.data).sort(), ['password', 'server.json', 'snapshots'])
    t.strictSame(readdirSync(join(db.run.data, 'snapshots')).sort(), ['before-reset', 'kept'])
    await db.up()
    t.equal(db.exports()['password'], password)
    t.match(await query(db.url(), 'SELECT n FROM one'), [{ n: 1 }])
  })
})

t.test('what cannot work is said once, and the data is left as it is', async t => {
  const db = await shared.service('wrong', { databases: ['app'] })
  const cluster = join(db.run.data, 'cluster')
  let instance: Instance = await db.up()
  await query(db.url(), 'CREATE TABLE kept AS SELECT 1 AS one')
  const options = (more: Record<string, unknown>) => db.with({ options: { ...Object(db.run.options), ...more } })
  const stillThere = async (t: Test) => {
    instance = await db.up()
    t.match(await query(db.url(), 'SELECT one FROM kept'), [{ one: 1 }])
    await instance.stop(gentle)
  }
  await instance.stop(gentle)

  await t.test('another version', async t => {
    await t.rejects(options({ version: '17' }).begin(), {
      code: 'STEP_FAILED',
      message: 'its data is of PostgreSQL 18, not 17',
      hint: /^Set version = "18" to keep it, or start empty with `locald service reset wrong`\.$/,
    })
    const version = (text: string) => writeFileSync(join(cluster, 'PG_VERSION'), text)
    version('17\n')
    const hint =
      /^Set version = "17" to keep it, run `locald db upgrade --service wrong` to upgrade it to 18, or start empty with `locald service/
    await t.rejects(options({ version: '18' }).begin(), { message: /PostgreSQL 17, not 18/, hint })
    for (const unknown of ['12', '99']) {
      version(`${unknown}\n`)
      await t.rejects(db.begin(), {
        message: `its data is of PostgreSQL ${unknown}, not 18`,
        hint: /PostgreSQL 13 to 18/,
      })
    }
    for (const junk of ['', 'junk']) {
      version(junk)
      await t.rejects(db.begin(), { message: /its data is corrupt: PG_VERSION/, hint: /snapshot.*reset/ })
    }
    version('18\n')
    await stillThere(t)
  })
  await t.test('an unknown extension', async t => {
    await t.rejects(options({ extensions: ['nosuch'] }).begin(), {
      message: /no extension 'nosuch' here/,
      hint: /Install/,
    })
    await stillThere(t)
  })
  await t.test('a name that PostgreSQL would cut off', async t => {
    const name = 'ä'.repeat(32)
    await t.rejects(options({ databases: [name] }).begin(), { message: /longer than 63 bytes/, hint: /Shorten it/ })
    await stillThere(t)
  })
  await t.test('settings', async t => {
    await t.rejects(options({ settings: { work_mem: 'much' } }).begin(), {
      message: /wrong failed to start: its settings were rejected: .*work_mem/,
      hint: /Correct `settings`/,
    })
    await t.rejects(options({ settings: { work_memory: 1 } }).begin(), { message: /work_memory/ })
    await t.rejects(options({ settings: { shared_preload_libraries: 'nosuch' } }).begin(), {
      message: /a library is missing/,
    })
    await stillThere(t)
  })
  await t.test('a port in use', async t => {
    const server = createServer()
    await new Promise<void>(resolve => server.listen(db.run.port, '127.0.0.1', resolve))
    await t.rejects(db.begin(), { code: 'PORT_TAKEN', message: /port in use/ })
    await new Promise(resolve => server.close(resolve))
    await stillThere(t)
  })
  await t.test('a damaged cluster', async t => {
    const control = join(cluster, 'global', 'pg_control')
    const whole = readFileSync(control)
    truncateSync(control, 100)
    await t.rejects(db.begin(), { message: /wrong failed to start: its data is corrupt: /, hint: /snapshot.*reset/ })
    writeFileSync(control, Buffer.concat([whole.subarray(0, 40), Buffer.from([255]), whole.subarray(41)]))
    await t.rejects(db.begin(), { message: /its data is corrupt: / })
    writeFileSync(control, whole)
    for (const name of ['pg_wal', 'pg_xact', 'postgresql.conf', 'pg_hba.conf', 'global', 'base/5']) {
      renameSync(join(cluster, name), join(cluster, '..', 'away'))
      await t.rejects(db.begin(), { message: /its data is corrupt: /, hint: /snapshot.*reset/ }, name)
      rmSync(join(cluster, name), { recursive: true, force: true })
      renameSync(join(cluster, '..', 'away'), join(cluster, name))
    }
    await stillThere(t)
  })
  await t.test('a damaged cluster, where that takes a while to be seen', async t => {
    const log = readdirSync(join(cluster, 'pg_wal')).filter(name => /^[0-9A-F]{24}$/.test(name))
    for (const name of log) renameSync(join(cluster, 'pg_wal', name), join(cluster, '..', name))
    writeFileSync(join(cluster, 'recovery.signal'), '')
    const slow = options({ settings: { restore_command: 'sleep 1; false' } })
    await t.rejects(slow.begin(), { message: /its data is corrupt: /, hint: /snapshot.*reset/ })
    rmSync(join(cluster, 'recovery.signal'))
    for (const name of log) renameSync(join(cluster, '..', name), join(cluster, 'pg_wal', name))
    await stillThere(t)
  })
  await t.test('a start is given up when it is to be stopped', async t => {
    writeFileSync(join(cluster, 'recovery.signal'), '')
    const stopping = new AbortController()
    // Run in the cluster's folder. Before its end the server cannot be ready.
    const settings = { restore_command: 'touch restoring; sleep 8; false' }
    const began = options({ settings }).with({ signal: stopping.signal }).begin()
    await until('recovery', () => existsSync(join(cluster, 'restoring')))
    stopping.abort(new Error('stopped'))
    await t.rejects(began, { message: 'stopped' })
    for (const name of ['recovery.signal', 'restoring']) rmSync(join(cluster, name), { force: true })
    await stillThere(t)
  })
  await t.test('a damaged lock file, or settings of ALTER SYSTEM', async t => {
    writeFileSync(join(cluster, 'postmaster.pid'), 'junk\n')
    await t.rejects(db.begin(), { message: /the lock file in its data folder is corrupt/, hint: /postmaster\.pid/ })
    rmSync(join(cluster, 'postmaster.pid'))
    const file = join(cluster, 'postgresql.auto.conf')
    const text = readFileSync(file)
    writeFileSync(file, 'work_mem = \n')
    await t.rejects(db.begin(), { message: /a setting from ALTER SYSTEM was rejected/, hint: /postgresql\.auto\.conf/ })
    writeFileSync(file, text)
    await stillThere(t)
  })
  await t.test('a folder that is no cluster', async t => {
    renameSync(join(cluster, 'PG_VERSION'), join(cluster, 'PG_VERSION.away'))
    await t.rejects(db.begin(), {
      message: /is not a PostgreSQL cluster: it has no PG_VERSION/,
      hint: /was not changed/,
    })
    renameSync(join(cluster, 'PG_VERSION.away'), join(cluster, 'PG_VERSION'))
    await stillThere(t)
  })
  await t.test('a file in the place of the cluster', async t => {
    renameSync(cluster, `${cluster}.away`)
    writeFileSync(cluster, '')
    await t.rejects(db.begin(), { message: /ENOTDIR/, hint: /must be a folder/ })
    rmSync(cluster)
    renameSync(`${cluster}.away`, cluster)
    await stillThere(t)
  })
  await t.test('a swap that a crash interrupted is completed', async t => {
    const [old, kept] = [`${cluster}.replaced-before-restore`, join(db.run.data, 'snapshots', 'before-restore')]
    for (const folder of [old, kept]) mkdirSync(folder, { recursive: true })
    writeFileSync(join(old, 'newer'), '')
    renameSync(cluster, `${cluster}.next`)
    await stillThere(t)
    t.strictSame(readdirSync(kept), ['newer'])
    t.notOk(existsSync(old))
  })
  await t.test('a changed password is set anew at the second start', async t => {
    const running = await db.up()
    await query(db.url(), "ALTER ROLE postgres PASSWORD 'other'")
    await running.stop(gentle)
    await t.rejects(db.begin(), { message: /the password of role postgres is not the one that locald set/ })
    await stillThere(t)
  })
})

const mayMount = isRoot && spawnSync('unshare', ['--mount', 'true']).status === 0

t.test('a disk', { skip: onlyLinux('a tmpfs') || (!mayMount && 'may not mount') }, async t => {
  const folder = mkdtempSync(join(tmpdir(), 'pg-disk-'))
  const mount = (...words: string[]) => spawnSync('mount', words, { encoding: 'utf8' })
  t.equal(mount('-t', 'tmpfs', '-o', 'size=300m', 'none', folder).status, 0)
  const harness = new PostgresHarness(mkdtempSync(join(folder, 'pg-')))
  t.teardown(async () => {
    await harness.close()
    await until('umount', () => spawnSync('umount', [folder]).status === 0)
    rmSync(folder, { recursive: true })
  })
  const fillers: string[] = []
  const fill = (leave: number) => {
    const { bavail, bsize } = statfsSync(folder)
    const filler = join(folder, `filler${fillers.length}`)
    fillers.push(filler)
    writeFileSync(filler, Buffer.alloc(Math.max(0, bavail * bsize - leave)))
  }
  const empty = () => {
    for (const filler of fillers) rmSync(filler, { force: true })
  }
  const db = await harness.service('db')

  await t.test('that is full before there is anything', async t => {
    fill(20 * 1024 * 1024)
    await t.rejects(db.begin(), { code: 'STEP_FAILED', message: /ENOSPC/ })
    empty()
  })
  let instance = await db.up()
  await query(db.url(), 'CREATE TABLE kept AS SELECT 1 AS one')

  await t.test('that has no room for a copy: the server runs on', async t => {
    fill(40 * 1024 * 1024)
    const copy = join(db.run.data, 'copy')
    const message = /^not enough space for a copy: \d+ MB needed, (?:39|40) MB free in /
    await t.rejects(copyCluster(join(db.run.data, 'cluster'), copy, undefined, {}), { code: 'STEP_FAILED', message })
    t.strictSame(
      readdirSync(db.run.data).filter(name => name.startsWith('copy')),
      [],
      'nothing is begun',
    )
    t.match(await query(db.url(), 'SELECT one FROM kept'), [{ one: 1 }])
    empty()
  })

  await t.test('that is full while it runs, and at its start', async t => {
    fill(0)
    const sql = 'CREATE TABLE big AS SELECT repeat(md5(i::text), 100) AS x FROM generate_series(1, 100000) i'
    await t.rejects(query(db.url(), sql))
    await instance.stop(gentle)
    // The next start removes it, which makes room.
    const exits = join(harness.folders.data, 'exits')
    for (const name of readdirSync(exits)) rmSync(join(exits, name), { force: true })
    fill(0)
    await t.rejects(db.begin(), { message: /full|ENOSPC/, hint: /Free some space/ })
    empty()
    instance = await db.up()
    t.match(await query(db.url(), 'SELECT one FROM kept'), [{ one: 1 }])
    await instance.stop(gentle)
  })
  await t.test('that is read-only', async t => {
    const fresh = await harness.service('fresh')
    // Keepers take a moment to close their logs.
    await until('remount', () => mount('-o', 'remount,ro', folder).status === 0)
    await t.rejects(db.begin(), { message: /EROFS|read-only/, hint: /writable/ })
    await t.rejects(fresh.begin(), { message: /EROFS|read-only/, hint: /writable/ })
    let isAsked = false
    const placing = placeFolder(join(db.run.data, 'x'), made => {
      isAsked = true
      return copyTree(join(db.run.data, 'cluster'), made)
    })
    await t.rejects(placing, { code: 'EROFS' })
    t.notOk(isAsked, 'nothing is begun')
    t.equal(mount('-o', 'remount,rw', folder).status, 0)
    await db.up()
    t.match(await query(db.url(), 'SELECT one FROM kept'), [{ one: 1 }])
  })
})

t.test('two versions side by side', async t => {
  const [old, young] = [
    await shared.service('old', { version: '16' }),
    await shared.service('young', { version: '18' }),
  ]
  await Promise.all([old.up(), young.up()])
  const major = async (service: Service) =>
    (await query(service.url(), "SELECT current_setting('server_version') AS v"))[0]?.['v']
  t.match(await major(old), /^16\./)
  t.match(await major(young), /^18\./)
  // Without a version it stays what it is.
  await shared.stop()
  await old.with({ options: { ...Object(old.run.options), version: undefined } }).up()
  t.match(await major(old), /^16\./)
  await shared.stop()
})

t.test('ten clusters at once', async t => {
  const all = await Promise.all(Array.from({ length: 10 }, (_, index) => shared.service(`many${index}`)))
  await Promise.all(all.map(service => service.up()))
  await Promise.all(all.map((service, index) => query(service.url(), `CREATE TABLE mine AS SELECT ${index} AS n`)))
  for (const [index, service] of all.entries())
    t.match(await query(service.url(), 'SELECT n FROM mine'), [{ n: index }])
  t.equal(new Set(all.map(service => service.exports()['password'])).size, 10, 'each has a password of its own')
  await shared.stop()
})

t.test('the environment of dependents', async t => {
  const project = { name: 'shop', path: '/', domain: 'shop.localhost' }
  const web = { key: 'shop:web', name: 'web', type: 'exec', project }
  const lookup = (service: string, field: string) => `${service}.${field}`
  const db = { name: 'db', type: 'postgres' }
  const context = (dependencies: { name: string; type: string }[], own: readonly string[] = []) => ({
    dir: '/',
    dependencies,
    isOwn: (name: string) => own.includes(name),
    lookup,
  })
  const misleading = [
    ...[
      'PGSERVICE',
      'PGHOSTADDR',
      'PGSSLMODE',
      'PGOPTIONS',
      'PGGSSENCMODE',
      'PGCHANNELBINDING',
      'PGTARGETSESSIONATTRS',
    ],
    ...[
      'PGREQUIREAUTH',
      'PGREQUIREPEER',
      'PGREQUIRESSL',
      'PGSYSCONFDIR',
      'PGSERVICEFILE',
      'PGPASSFILE',
      'PGSSLNEGOTIATION',
    ],
  ]
  const elsewhere = Object.fromEntries(misleading.map(name => [name, 'production']))
  const shell = { DATABASE_URL: 'production', PGHOST: 'production', ...elsewhere }
  t.strictSame(addClientVariables(shell, web, context([{ name: 'cache', type: 'container' }, db])), {
    ...{ DATABASE_URL: 'db.url', PGHOST: 'db.host', PGPORT: 'db.port', PGUSER: 'db.user' },
    ...{ PGPASSWORD: 'db.password', PGDATABASE: 'db.database' },
  })
  const kept = { PGAPPNAME: 'mine', PGTZ: 'UTC', PG_COLOR: 'auto', PGWEB_URL: 'x' }
  t.match(addClientVariables({ ...shell, ...kept }, web, context([db])), kept, 'what leads nowhere else stays')
  t.match(addClientVariables(shell, web, context([db], ['PGOPTIONS'])), { PGHOST: 'db.host', PGOPTIONS: 'production' })
  t.strictSame(addClientVariables(shell, web, context([])), shell, 'not of those that do not depend on one')
  t.strictSame(
    addClientVariables(shell, web, context([db, { ...db, name: 'db2' }])),
    shell,
    'not where it is not clear which',
  )
  const own = addClientVariables(shell, web, context([db], ['DATABASE_URL', 'PGHOST']))
  t.strictSame(own, shell, "the project's own stay, PG* all of them")
  const part = { ...elsewhere, PGHOST: 'production', PGPORT: '1', PGUSER: 'app', PGDATABASE: 'shop' }
  t.strictSame(
    addClientVariables(part, web, context([db], ['PGUSER', 'PGDATABASE'])),
    {
      ...{ DATABASE_URL: 'db.url', PGHOST: 'db.host', PGPORT: 'db.port', PGUSER: 'app' },
      ...{ PGPASSWORD: 'db.password', PGDATABASE: 'shop' },
    },
    'who sets a user or a database alone does not get to the server of the shell',
  )
  t.match(addClientVariables({}, { ...web, name: 'db', type: 'postgres' }, context([])), { PGHOST: 'db.host' })
})
