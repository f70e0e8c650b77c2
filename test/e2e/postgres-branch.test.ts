import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { processList } from '../lib/process-list.ts'
import { until } from '../lib/running.ts'
import { Sandbox } from '../lib/sandbox.ts'
import { ask, count, crash, db, isComplete, query, shop, unfinished, urlOf, writer } from './postgres-shop.ts'

// On a busy machine: ms.
t.setTimeout(600_000)

t.test('snapshots and branches', async t => {
  const sandbox = new Sandbox(t)
  const folder = sandbox.project('shop', shop())
  await sandbox.up(folder, ['db'])
  const url = await urlOf(sandbox, folder)
  await query(url, 'CREATE TABLE t AS SELECT generate_series(1, 1000) AS i')

  await t.test('takes a snapshot while clients write, and restores it', async t => {
    const writing = await writer(url)
    await until('rows', () => writing.last() > 20)
    const before = writing.last()
    t.match(await db(sandbox, folder, 'snapshot', 'one'), {
      exitCode: 0,
      text: /^Created snapshot 'one' of shop:db in /,
    })
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

  await t.test('takes a snapshot of a stopped cluster', async t => {
    await sandbox.ok(['stop'], { cwd: folder })
    t.match(await db(sandbox, folder, 'snapshot', 'two'), { exitCode: 0 })
    t.match(await db(sandbox, folder, 'snapshot', 'two'), { error: { code: 'USAGE', message: /already/ } })
    t.match(await db(sandbox, folder, 'list'), {
      text: /shop:db is stopped: its branches are listed while it runs/,
      table: {
        columns: ['name', 'kind', 'size', 'created', 'source'],
        rows: [
          ['before-restore', 'snapshot'],
          ['one', 'snapshot'],
          ['two', 'snapshot'],
        ],
      },
    })
    t.match(await db(sandbox, folder, 'drop', 'nosuch'), { error: { code: 'USAGE', hint: /to use its branches/ } })
    await db(sandbox, folder, 'restore', 'two')
    t.match((await sandbox.service(folder, 'db')).status, 'stopped', 'a restore starts nothing that did not run')
    await sandbox.up(folder, ['db'])
    t.equal(await count(url), 1000)
  })

  await t.test('creates a branch as a second database while clients are connected', async t => {
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

  await t.test('lists and drops branches and snapshots', async t => {
    const listed = await db(sandbox, folder, 'list')
    t.match(listed.data, {
      snapshots: [{ name: 'before-restore' }, { name: 'one' }, { name: 'two' }],
      branches: [{ name: 'feature', from: 'shop' }],
    })
    const { stdout } = await sandbox.ok(['db', 'list'], { cwd: folder })
    t.match(stdout, /^NAME +KIND +SIZE +CREATED +SOURCE\n/)
    t.match(stdout, /^one +snapshot +\d+ MB +\S+Z +PostgreSQL \d+/m)
    t.match(stdout, /^feature +branch +\d+ MB +\S+Z +database shop$/m)
    for (const name of ['one', 'feature']) t.match(await db(sandbox, folder, 'drop', name), { exitCode: 0 })
    for (const name of ['one', 'feature', 'shop', '../two', 'postgres']) {
      t.match(await db(sandbox, folder, 'drop', name), { error: { code: 'USAGE', message: /no snapshot or branch/ } })
    }
    t.equal(await count(url), 1000)
  })

  await t.test('rejects wrong arguments', async t => {
    t.match(await db(sandbox, folder), { exitCode: 2, text: /locald db snapshot/ })
    t.match(await db(sandbox, folder, 'list', '--help'), { exitCode: 0, text: /locald db snapshot/ })
    for (const argv of [
      ['nosuch'],
      ['restore'],
      ['restore', 'nosuch'],
      ['snapshot', '../x'],
      ['snapshot', 'before-restore'],
      ['snapshot', 'Before-Reset'],
      ['snapshot', 'TWO'],
      ['restore', 'TWO'],
      ['list', '--nosuch'],
      ['upgrade', 'x'],
    ]) {
      t.match(await db(sandbox, folder, ...argv), { error: { code: 'USAGE', hint: /./ } }, argv.join(' '))
    }
    await query(url, 'ALTER DATABASE postgres ALLOW_CONNECTIONS false')
    const refused = {
      code: 'STEP_FAILED',
      message: /^connection to the server of shop:db lost: /,
      hint: /locald logs db/,
    }
    t.match(await db(sandbox, folder, 'list'), { error: refused })
    await query(url, 'ALTER DATABASE postgres ALLOW_CONNECTIONS true')
    t.match(await db(sandbox, sandbox.home, 'list'), { error: { code: 'UNKNOWN_SERVICE' } })
    t.match(await db(sandbox, sandbox.home, 'list', '--service', 'shop:db'), { exitCode: 0 })
  })

  await t.test('an interrupted command leaves nothing incomplete', async t => {
    await query(url, `CREATE TABLE big AS SELECT repeat(md5(i::text), 20) AS x FROM generate_series(1, 200000) i`)
    for (const [argv, delayMs, who] of [
      [['snapshot', 'cut'], 150],
      [['branch', 'cut'], 100],
      [['branch', 'cut'], 400],
      [['restore', 'two'], 250],
      [['branch', 'cut'], 200, 'daemon'],
      [['restore', 'two'], 600, 'daemon'],
    ] as const) {
      const { pid, socket } = await sandbox.server()
      const asking = ask(socket, folder, argv).catch(() => undefined)
      await new Promise(wake => setTimeout(wake, delayMs))
      // In the middle of it.
      if (who === 'daemon') process.kill(pid, 'SIGKILL')
      else crash(sandbox)
      const answer = await asking
      await until('its end', () => !processList.isAlive(pid) || sandbox.processes().length === 0)
      // For named services, those that exited with success would start, too.
      await sandbox.up(folder, who === 'daemon' ? [] : ['db'])
      t.equal(await count(url), 1000, `${argv.join(' ')}: the data is whole (${answer === undefined ? 'cut' : 'done'})`)
      const { data } = await db(sandbox, folder, 'list')
      const branches: readonly { readonly name: string }[] = Object(data)['branches']
      for (const { name } of branches) t.equal(await count(url.replace(/shop$/, name)), 1000, 'a branch is whole')
      const others = ['postgres', 'shop', 'shop_test', 'template0', 'template1']
      const all = [...others, ...branches.map(({ name }) => name)].sort().join(' ')
      // An adopted server is ready before it is swept.
      await until(`databases ${all}`, async () => {
        const there = await query(url, 'SELECT datname FROM pg_database ORDER BY datname')
        return there.map(({ datname }) => datname).join(' ') === all
      })
      for (const { name } of branches) await db(sandbox, folder, 'drop', name)
      await sandbox.ok(['restart', 'db'], { cwd: folder })
      t.strictSame(unfinished(sandbox.home), [])
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

  await t.test('without branching a worktree starts empty', async t => {
    const empty = join(sandbox.home, 'empty')
    await git(folder, 'worktree', 'add', '-q', '-b', 'empty', empty)
    sandbox.write(join(empty, 'locald.toml'), shop()['locald.toml'].replace('type = "postgres"', '$&\nbranch = false'))
    await sandbox.up(empty, ['db'])
    await t.rejects(count(await urlOf(sandbox, empty)), { code: '42P01' })
  })

  await t.test('a worktree inside the main checkout has its own data', async t => {
    const nested = join(folder, '.trees', 'nested')
    await git(folder, 'worktree', 'add', '-q', '-b', 'nested', nested)
    for (const argv of [['list'], ['snapshot', 'x'], ['restore', 'x'], ['drop', 'x']]) {
      t.match(await db(sandbox, nested, ...argv), { error: { code: 'UNKNOWN_SERVICE' } }, argv.join(' '))
    }
    const { pid } = await sandbox.service(folder, 'db')
    await sandbox.ok(['service', 'reset', 'db'], { cwd: nested })
    await sandbox.ok(['stop'], { cwd: nested })
    t.equal((await sandbox.service(folder, 'db')).pid, pid, 'the main one runs on')
    t.equal(await count(url), 1000)
    await sandbox.up(nested, ['db'])
    t.equal(await count(await urlOf(sandbox, nested)), 1000, 'it is a branch')
    t.equal((await sandbox.service(folder, 'db')).pid, pid)
  })

  await t.test('warns when a recreated worktree reuses old data', async t => {
    const said = async () =>
      (await sandbox.logs(tree, ['db'])).filter(({ text }) => text.includes('earlier git worktree')).length
    await sandbox.ok(['stop'], { cwd: tree })
    await git(folder, 'worktree', 'remove', '--force', tree)
    await git(folder, 'worktree', 'add', '-q', tree, 'feature/x')
    await sandbox.up(tree, ['db'])
    t.equal(await count(branch), 10)
    t.equal(await said(), 1)
    await sandbox.ok(['stop'], { cwd: tree })
    await sandbox.up(tree, ['db'])
    t.equal(await said(), 1, 'once')
    await sandbox.ok(['service', 'reset', 'db'], { cwd: tree })
    t.equal(await count(await urlOf(sandbox, tree)), 1000, "begins with the main checkout's data again")
  })

  await t.test('prunes the data of deleted worktrees only', async t => {
    t.match(await db(sandbox, folder, 'prune'), { data: { removed: [] } })
    const [cluster] = await query(branch, "SELECT current_setting('data_directory') AS folder")
    await git(folder, 'worktree', 'remove', '--force', tree)
    t.match(await db(sandbox, folder, 'prune'), { data: { removed: ['shop-feature-x:db'] } })
    t.notOk(existsSync(join(String(cluster?.['folder']), '..')))
    t.equal(await count(url), 1000)
    t.match(await db(sandbox, folder, 'prune'), { data: { removed: [] } })
    // Git keeps a locked one: it is on a drive that is not here now.
    const empty = join(sandbox.home, 'empty')
    await git(folder, 'worktree', 'move', empty, `${empty}-moved`)
    t.match(await db(sandbox, folder, 'prune'), { data: { removed: [] } }, 'one that was moved')
    await git(folder, 'worktree', 'move', `${empty}-moved`, empty)
    await git(folder, 'worktree', 'lock', empty)
    rmSync(empty, { recursive: true })
    t.match(await db(sandbox, folder, 'prune'), { data: { removed: [] } })
    await git(folder, 'worktree', 'unlock', empty)
    // Nor is the whole repository, whose drive may be away.
    renameSync(join(folder, '.git'), join(folder, '.git-away'))
    t.match(await db(sandbox, folder, 'prune'), { data: { removed: [] } })
    renameSync(join(folder, '.git-away'), join(folder, '.git'))
    t.match(await db(sandbox, folder, 'prune'), { data: { removed: ['shop-empty:db'] } }, 'also one that is no branch')
  })
})
