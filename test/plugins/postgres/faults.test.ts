import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Instance } from '../../../kernel/contract/plugin.ts'
import { copyCluster } from '../../../plugins/postgres/cluster/copy.ts'
import { copyTree, placeFolder } from '../../../plugins/postgres/files/copy-tree.ts'
import { onlyLinux } from '../../lib/machine.ts'
import { PostgresHarness } from './harness.ts'
import { gentle, isRoot, query, shared, until } from './shared-server.ts'

t.test('reports what cannot work and leaves the data unchanged', async t => {
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
  await t.test('a name that PostgreSQL would truncate', async t => {
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
  await t.test('a damaged cluster that fails late', async t => {
    const log = readdirSync(join(cluster, 'pg_wal')).filter(name => /^[0-9A-F]{24}$/.test(name))
    for (const name of log) renameSync(join(cluster, 'pg_wal', name), join(cluster, '..', name))
    writeFileSync(join(cluster, 'recovery.signal'), '')
    const slow = options({ settings: { restore_command: 'sleep 1; false' } })
    await t.rejects(slow.begin(), { message: /its data is corrupt: /, hint: /snapshot.*reset/ })
    rmSync(join(cluster, 'recovery.signal'))
    for (const name of log) renameSync(join(cluster, '..', name), join(cluster, 'pg_wal', name))
    await stillThere(t)
  })
  await t.test('a start that is cancelled', async t => {
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
  await t.test('completes a swap that a crash interrupted', async t => {
    const [old, kept] = [`${cluster}.replaced-before-restore`, join(db.run.data, 'snapshots', 'before-restore')]
    for (const folder of [old, kept]) mkdirSync(folder, { recursive: true })
    writeFileSync(join(old, 'newer'), '')
    renameSync(cluster, `${cluster}.next`)
    await stillThere(t)
    t.strictSame(readdirSync(kept), ['newer'])
    t.notOk(existsSync(old))
  })
  await t.test('resets a changed password at the second start', async t => {
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

  await t.test('that is full before the first start', async t => {
    fill(20 * 1024 * 1024)
    await t.rejects(db.begin(), { code: 'STEP_FAILED', message: /ENOSPC/ })
    empty()
  })
  let instance = await db.up()
  await query(db.url(), 'CREATE TABLE kept AS SELECT 1 AS one')

  await t.test('without space for a copy keeps the server running', async t => {
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

  await t.test('that is full during a run and at the next start', async t => {
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
