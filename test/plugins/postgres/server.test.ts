import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, lstatSync, mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import postgres from 'postgres'
import t from 'tap'
import { processList } from '../../lib/process-list.ts'
import { ready, type Service } from './harness.ts'
import { gentle, isComplete, isRoot, left, query, shared, until, writeUntilBroken } from './shared-server.ts'

for (const folder of left) mkdirSync(folder, { recursive: true })

function hasProgram(name: string): boolean {
  return spawnSync(name, ['--version']).status === 0
}

t.test('a database', async t => {
  const db = await shared.service('db', {
    databases: ['app', 'my "test"'],
    extensions: ['pgcrypto', 'pg_trgm'],
    settings: { work_mem: '7MB', application_name: "it's" },
  })
  const instance = await db.up()
  const url = db.url()
  t.strictSame(left.filter(existsSync), [], 'what an earlier daemon left incomplete is deleted')

  t.test('is the newest major, complete, and requires the password', async t => {
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

  t.test('creates its databases and extensions', async t => {
    for (const name of ['app', 'my "test"']) {
      const found = await query(url.replace(/app$/, encodeURIComponent(name)), 'SELECT extname FROM pg_extension')
      t.ok(
        found.some(({ extname }) => extname === 'pgcrypto') && found.some(({ extname }) => extname === 'pg_trgm'),
        name,
      )
    }
  })

  t.test('accepts pg, postgres and psql, by port and by socket', async t => {
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
        reach: 'host',
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

  t.test('stops fast with connected clients, and keeps its data', async t => {
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

  t.test('creates databases that are added later, also as the first', async t => {
    const more = db.with({ options: { ...Object(db.run.options), databases: ['later', 'app'] } })
    await more.up()
    t.equal(new URL(more.url()).pathname, '/later')
    t.match(await query(more.url(), 'SELECT current_database() AS name'), [{ name: 'later' }])
    t.match(await query(url, 'SELECT one FROM kept'), [{ one: 1 }])
    await shared.stop()
  })
})

t.test('removes folders of incomplete databases at the next start', async t => {
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
})

t.test('shuts down immediately after the grace period', async t => {
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

t.test('starts when its earlier pid belongs to another process', async t => {
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

t.test('runs two versions side by side', async t => {
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

t.test('starts ten clusters at once', async t => {
  const all = await Promise.all(Array.from({ length: 10 }, (_, index) => shared.service(`many${index}`)))
  await Promise.all(all.map(service => service.up()))
  await Promise.all(all.map((service, index) => query(service.url(), `CREATE TABLE mine AS SELECT ${index} AS n`)))
  for (const [index, service] of all.entries())
    t.match(await query(service.url(), 'SELECT n FROM mine'), [{ n: index }])
  t.equal(new Set(all.map(service => service.exports()['password'])).size, 10, 'each has a password of its own')
  await shared.stop()
})
