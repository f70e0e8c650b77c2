import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statfsSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { worktreeIn } from '../../../kernel/registry/git-worktree.ts'
import { readInit } from '../../../plugins/postgres/cluster/provision.ts'
import { type Target, withClient } from '../../../plugins/postgres/server/client.ts'
import { onlyLinux } from '../../lib/machine.ts'
import { PostgresHarness, type Service } from './harness.ts'

// On a busy machine: ms.
t.setTimeout(600_000)

const megabytes = 200

function targetOf(service: Service): Target {
  const { user = '', password = '', database = '' } = service.exports()
  return { host: '127.0.0.1', port: Number(service.run.port), user, password, database }
}

async function query(service: Service, sql: string): Promise<readonly Record<string, unknown>[]> {
  return withClient(targetOf(service), async client => (await client.query<Record<string, unknown>>(sql)).rows)
}

/** Bytes in use on a file system, after all is written out. */
function used(folder: string): number {
  spawnSync('sync', ['-f', folder])
  const { blocks, bfree, bsize } = statfsSync(folder)
  return (blocks - bfree) * bsize
}

/** A main checkout and a linked worktree, as git has them. */
function checkouts(root: string): { readonly main: string; readonly tree: string } {
  const [main, tree] = [join(root, 'main'), join(root, 'tree')]
  for (const folder of [join(main, '.git', 'worktrees', 'tree'), tree]) mkdirSync(folder, { recursive: true })
  writeFileSync(join(tree, '.git'), `gitdir: ${join(main, '.git', 'worktrees', 'tree')}\n`)
  writeFileSync(join(main, '.git', 'worktrees', 'tree', 'gitdir'), `${join(tree, '.git')}\n`)
  return { main, tree }
}

/** Branches a running cluster for a worktree; the result is how much the file system grew, in bytes. */
async function branches(t: Test, folder: string): Promise<number> {
  const harness = new PostgresHarness(mkdtempSync(join(folder, 'pg-')))
  try {
    const { main, tree } = checkouts(harness.root)
    const of = async (name: string, path: string) =>
      (await harness.service('db', {}, name)).with({
        project: { name, path, domain: `${name}.localhost`, worktree: worktreeIn(path) },
        key: `${name}:db`,
      })
    const [source, branch] = [await of('main', main), await of('tree', tree)]
    await source.up()
    await query(
      source,
      `CREATE TABLE rows AS SELECT i AS id, repeat(md5(i::text), 31) AS text FROM generate_series(1, ${megabytes * 1000}) i;
       CHECKPOINT`,
    )
    const before = used(folder)
    await harness.type?.prepare?.(branch.run)
    const grown = used(folder) - before
    t.match(branch.steps, ['branching the data of main:db'])
    await branch.up()
    t.match(await query(branch, 'SELECT count(*)::int AS n, min(length(text)) AS l FROM rows'), [
      { n: megabytes * 1000, l: 992 },
    ])
    await query(branch, 'DELETE FROM rows WHERE id <= 1000')
    await query(source, 'INSERT INTO rows VALUES (0, NULL)')
    t.match(await query(source, 'SELECT count(*)::int AS n FROM rows'), [{ n: megabytes * 1000 + 1 }], 'isolated')
    t.match(await query(branch, 'SELECT count(*)::int AS n FROM rows'), [{ n: megabytes * 1000 - 1000 }], 'isolated')
    t.notOk(readdirSync(branch.run.data).some(name => name.includes('unfinished')))
    return grown
  } finally {
    await harness.close()
  }
}

const run = (...[program = '', ...words]: string[]) => spawnSync(program, words, { encoding: 'utf8' })
const image = join(mkdtempSync(join(tmpdir(), 'pg-xfs-')), 'image')
const mounted = join(image, '..', 'mounted')
mkdirSync(mounted)
writeFileSync(image, '')
truncateSync(image, 3 * 1024 ** 3)
const isMounted =
  run('mkfs.xfs', '-q', '-m', 'reflink=1', image).status === 0 &&
  run('mount', '-o', 'loop', image, mounted).status === 0
t.teardown(async () => {
  for (let tries = 0; isMounted && tries < 200 && run('umount', mounted).status !== 0; tries++) {
    await new Promise(wake => setTimeout(wake, 50))
  }
  rmSync(join(image, '..'), { recursive: true, force: true })
})

t.test('reads the init file as psql does', async t => {
  const dir = t.testdir({
    'bom.sql': '\uFEFFCREATE TABLE a (b text);\r\n',
    'latin.sql': Buffer.from('-- gr\xfc\xdfe\n', 'latin1'),
  })
  execFileSync('mkfifo', [join(dir, 'pipe.sql')])
  t.equal(await readInit(join(dir, 'bom.sql'), dir), 'CREATE TABLE a (b text);\r\n', 'without its byte order mark')
  const cases = { latin: 'not UTF-8 text', pipe: 'is not a regular file', none: 'not found' }
  for (const [name, reason] of Object.entries(cases)) {
    const error = { code: 'STEP_FAILED', message: `init: ${name}.sql: ${reason}` }
    await t.rejects(readInit(join(dir, `${name}.sql`), dir), error, name)
  }
})

t.test('branches on this file system', async t => {
  await branches(t, tmpdir())
})

t.test(
  'branches without copying blocks where the file system shares them',
  { skip: onlyLinux('XFS') || (!isMounted && 'XFS cannot be mounted') },
  async t => {
    const grown = await branches(t, mounted)
    // Of 1 GB it is less than 2 %; what does not depend on the size (a thousand files) counts more here.
    t.ok(grown < megabytes * 1024 * 1024 * 0.1, `${(grown / 1024 / 1024).toFixed(1)} MB more`)
  },
)
