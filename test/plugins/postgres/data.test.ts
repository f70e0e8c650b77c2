import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import t, { type Test } from 'tap'
import { createBranch, listBranches } from '../../../plugins/postgres/cluster/branches.ts'
import { ready } from './harness.ts'
import { gentle, isComplete, query, shared, until, writeUntilBroken } from './shared-server.ts'

t.test('a branch', async t => {
  const db = await shared.service('branched')
  const instance = await db.up()
  const { user = '', password = '', database = '', socket = '' } = db.exports()
  const target = { host: socket, port: Number(db.run.port), user, password, database }
  const names = async () =>
    (await query(db.url(), 'SELECT datname FROM pg_database ORDER BY datname')).map(({ datname }) => datname)
  await query(db.url(), 'CREATE TABLE kept AS SELECT 1 AS one')

  await t.test('copies the maintenance database while it is used', async t => {
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

  await t.test('disconnects no client when its name exists', async t => {
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

  await t.test('is dropped by the next daemon when a killed one did not finish it', async t => {
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

t.test('loses no acknowledged row', async t => {
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
  await t.test('when a backend is killed and the server recovers', async t => {
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
  await t.test('when the next start stops a server that the daemon forgot', async t => {
    const { last, broken } = await writeUntilBroken(db.url())
    await until('rows', () => last() > 20)
    const { pid } = instance
    instance = await db.up()
    t.not(instance.pid, pid)
    await broken
    await isComplete(t, db.url(), last())
  })
  await t.test('when a start without preparation stops a forgotten server', async t => {
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
  await t.test('when another daemon adopts it', async t => {
    const adopted = await shared.type?.adopt?.(db.run, structuredClone(instance.state))
    if (adopted === undefined) throw new Error('not adopted')
    shared.keep(adopted)
    t.equal(adopted.pid, instance.pid)
    t.ok(await adopted.probe?.())
    await adopted.stop(gentle)
    t.strictSame(await instance.exited, { code: 0, signal: null })
  })
})

t.test('init', async t => {
  const file = (text: string) => {
    mkdirSync(join(shared.root, 'projects', 'shop'), { recursive: true })
    writeFileSync(join(shared.root, 'projects', 'shop', 'schema.sql'), text)
  }
  const db = await shared.service('init', { databases: ['app'], init: 'schema.sql' })

  t.test('names the line of an error and keeps nothing', async t => {
    file('CREATE TABLE one (n int);\n-- ä\nCREATE TABEL two (n int);\n')
    await t.rejects(db.up(), { code: 'STEP_FAILED', message: /^init: schema\.sql:3: syntax error/ })
    t.notOk(existsSync(join(db.run.data, 'cluster')))
    t.strictSame(readdirSync(db.run.data).sort(), ['password', 'server.json'])
    file('\\connect x\n')
    await t.rejects(db.up(), { message: /schema\.sql:1: psql command, not SQL/ })
    rmSync(join(shared.root, 'projects', 'shop', 'schema.sql'))
    await t.rejects(db.up(), { message: /schema\.sql: not found/ })
  })

  t.test('runs once', async t => {
    file('CREATE TABLE one (n int); INSERT INTO one VALUES (1);\n')
    const instance = await db.up()
    t.match(await query(db.url(), 'SELECT n FROM one'), [{ n: 1 }])
    await instance.stop(gentle)
    await db.up()
    t.equal((await query(db.url(), 'SELECT n FROM one')).length, 1)
  })

  t.test('runs again after a reset, which removes only the cluster', async t => {
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
