/**
 * Measures managed PostgreSQL against PostgreSQL alone, and a branch against pg_dump | psql, side by side in one run.
 *
 *   node build/bench/postgres.js                 starts: postgres alone, a ready cluster, a new one from the template
 *   node build/bench/postgres.js branch [MB]     a branch of a database of that size (1024), here and, as root, on XFS
 *
 * The branch part needs pg_dump and psql; PostgreSQL 15 is measured, as clients of any age can dump it.
 */
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, statfsSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Run } from '../kernel/contract/plugin.ts'
import { inspect } from '../plugins/postgres/binaries/inspect.ts'
import { packaged } from '../plugins/postgres/binaries/versions.ts'
import { createBranch } from '../plugins/postgres/cluster/branches.ts'
import { servicePaths } from '../plugins/postgres/files/paths.ts'
import { findAccount } from '../plugins/postgres/server/account.ts'
import { type Target, withClient } from '../plugins/postgres/server/client.ts'
import { serverArgv, serverEnv } from '../plugins/postgres/server/command-line.ts'
import { canQuery } from '../plugins/postgres/server/setup-server.ts'
import { PostgresHarness, type Service } from '../test/plugins/postgres/harness.ts'

const rounds = 7
const gentle = { signal: 'SIGTERM', graceMs: 5000 }

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

async function timed<T>(work: () => Promise<T>): Promise<{ readonly ms: number; readonly result: T }> {
  const began = performance.now()
  const result = await work()
  return { ms: performance.now() - began, result }
}

function targetOf(service: Service): Target {
  const { user = '', password = '', database = '' } = service.exports()
  return { host: '127.0.0.1', port: Number(service.run.port), user, password, database }
}

/** Starts PostgreSQL without locald on the same cluster; resolves when a query succeeds. */
async function alone(harness: PostgresHarness, service: Service): Promise<number> {
  const { data, runtime } = harness.folders
  const { os, arch } = harness.host.platform
  const paths = servicePaths(service.run.data, runtime)
  const bin = join(data, 'postgres', 'versions', `${packaged[18]}-${os}-${arch}`, 'native', 'bin')
  const installation = await inspect(bin, 'bundled')
  if (installation === undefined) throw new Error('no PostgreSQL')
  const input = {
    key: 'bench',
    installation,
    account: await findAccount(harness.host.platform),
    cluster: paths.cluster,
    paths,
  }
  const [program, ...words] = serverArgv(input, Number(service.run.port))
  const target = targetOf(service)
  const began = performance.now()
  const child = spawn(program, words, { env: serverEnv(), stdio: 'ignore' })
  while (!(await canQuery(target, paths.cluster))) await new Promise(wake => setTimeout(wake, 2))
  const ms = performance.now() - began
  const exited = new Promise(resolve => child.once('exit', resolve))
  child.kill('SIGINT')
  await exited
  return ms
}

async function starts(harness: PostgresHarness): Promise<void> {
  const ready = await harness.service('ready')
  await (await ready.up()).stop(gentle)
  const times: Record<'alone' | 'ready' | 'first', number[]> = { alone: [], ready: [], first: [] }
  for (let round = 0; round < rounds; round++) {
    times.alone.push(await alone(harness, ready))
    const up = await timed(() => ready.up())
    times.ready.push(up.ms)
    await up.result.stop(gentle)
    const fresh = await harness.service(`fresh${round}`)
    const first = await timed(() => fresh.up())
    times.first.push(first.ms)
    await first.result.stop(gentle)
  }
  const own = median(times.alone)
  console.log(`postgres alone, until a query succeeds   ${own.toFixed(0)} ms (median of ${rounds}, interleaved)`)
  console.log(`up of a ready cluster                    ${over(median(times.ready), own)}`)
  console.log(`first up, from the template              ${over(median(times.first), own)}`)
}

function over(ms: number, own: number): string {
  return `${ms.toFixed(0)} ms: ${(ms - own).toFixed(0)} ms over postgres's own`
}

/** Creates a main checkout and a linked worktree, as git does. */
function checkouts(harness: PostgresHarness): { readonly main: string; readonly tree: string } {
  const [main, tree] = [join(harness.root, 'main'), join(harness.root, 'tree')]
  for (const folder of [join(main, '.git', 'worktrees', 'tree'), tree]) mkdirSync(folder, { recursive: true })
  writeFileSync(join(tree, '.git'), `gitdir: ${join(main, '.git', 'worktrees', 'tree')}\n`)
  return { main, tree }
}

async function branch(harness: PostgresHarness, megabytes: number): Promise<void> {
  const { main, tree } = checkouts(harness)
  const at = (service: Service, name: string, path: string, more: Partial<Run<unknown>> = {}) =>
    service.with({ project: { name, path, domain: `${name}.localhost` }, key: `${name}:db`, dir: path, ...more })
  const source = at(await harness.service('db', { version: '15' }, 'main'), 'main', main)
  await source.up()
  const from = targetOf(source)
  await fill(from, megabytes)
  const other = await harness.service('copy', { version: '15' })
  await other.up()
  await query(from, 'CHECKPOINT')
  const dumped = await timed(async () => dump(from, targetOf(other)))
  await harness.type?.reset?.(other.run)
  const used = blocks(harness.root)
  const worktree = at(await harness.service('db', { version: '15' }, 'tree'), 'tree', tree)
  const made = await timed(async () => harness.type?.prepare?.(worktree.run))
  const grown = blocks(harness.root) - used
  const total = await sizeOf(from)
  console.log(`  pg_dump | psql                ${seconds(dumped.ms)}`)
  console.log(`  branch for a worktree (15)    ${seconds(made.ms)}: ${(dumped.ms / made.ms).toFixed(1)} times as fast`)
  console.log(
    `  blocks used: +${(grown / 1024 / 1024).toFixed(1)} MB of ${total.toFixed(0)} MB: ${((grown / 1024 / 1024 / total) * 100).toFixed(2)} %`,
  )
  await worktree.up()
  await query(targetOf(worktree), 'DELETE FROM rows WHERE id < 100')
  const [left] = await query(from, 'SELECT count(*)::int AS count FROM rows WHERE id < 100')
  console.log(`  rows of the original after a delete in the branch: ${left?.['count']} of 99`)
  await harness.stop()
  const young = await harness.service('young', { version: '18' })
  await young.up()
  await fill(targetOf(young), megabytes)
  await query(targetOf(young), 'CHECKPOINT')
  const before = blocks(harness.root)
  const cloned = await timed(() => createBranch({ ...targetOf(young), database: 'template1' }, 'postgres', 'feature'))
  const more = (blocks(harness.root) - before) / 1024 / 1024
  console.log(
    `  branch of a database (18)     ${seconds(cloned.ms)}: ${(dumped.ms / cloned.ms).toFixed(1)} times as fast as the dump of 15`,
  )
  console.log(`  blocks used: +${more.toFixed(1)} MB: ${((more / total) * 100).toFixed(2)} %`)
}

async function fill(target: Target, megabytes: number): Promise<void> {
  const rows = megabytes * 1000
  await query(
    target,
    `CREATE TABLE rows AS SELECT i AS id, md5(i::text) AS a, repeat(md5((i * 7)::text), 28) AS b FROM generate_series(1, ${rows}) i;
     ALTER TABLE rows ADD PRIMARY KEY (id)`,
  )
}

async function query(target: Target, sql: string): Promise<readonly Record<string, unknown>[]> {
  return withClient(target, async client => (await client.query<Record<string, unknown>>(sql)).rows)
}

async function sizeOf(target: Target): Promise<number> {
  const [row] = await query(target, 'SELECT pg_database_size(current_database())::float8 / 1048576 AS size')
  return Number(row?.['size'])
}

function dump(from: Target, to: Target): void {
  const url = ({ user, password, host, port, database }: Target) =>
    `postgresql://${user}:${password}@${host}:${port}/${database}`
  const ran = spawnSync('sh', ['-c', 'pg_dump "$1" | psql -qX "$2"', 'sh', url(from), url(to)], { encoding: 'utf8' })
  if (ran.status !== 0 || /ERROR/.test(ran.stderr)) throw new Error(ran.stderr)
}

/** Returns the bytes in use on a file system, after sync(1). */
function blocks(folder: string): number {
  spawnSync('sync', ['-f', folder])
  const { blocks, bfree, bsize } = statfsSync(folder)
  return (blocks - bfree) * bsize
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`
}

async function inHouse(under: string, work: (harness: PostgresHarness) => Promise<void>): Promise<void> {
  const harness = new PostgresHarness(mkdtempSync(join(under, 'bench-')))
  try {
    await work(harness)
  } finally {
    await harness.close()
  }
}

/** Mounts a file system that can share blocks, from a file. */
async function onXfs(megabytes: number, work: (folder: string) => Promise<void>): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'xfs-'))
  const [image, folder] = [join(root, 'image'), join(root, 'mnt')]
  mkdirSync(folder)
  writeFileSync(image, '')
  truncateSync(image, (megabytes * 8 + 2048) * 1024 * 1024)
  const run = (...[program = '', ...words]: string[]) => spawnSync(program, words, { encoding: 'utf8' })
  try {
    if (
      run('mkfs.xfs', '-q', '-m', 'reflink=1', image).status !== 0 ||
      run('mount', '-o', 'loop', image, folder).status !== 0
    ) {
      console.log('XFS: not here (it needs root, mkfs.xfs and loop devices)')
      return
    }
    console.log(`XFS, ${megabytes} MB:`)
    await work(folder)
  } finally {
    for (let tries = 0; tries < 100 && run('umount', folder).status === 32; tries++) {
      await new Promise(wake => setTimeout(wake, 50))
    }
    rmSync(root, { recursive: true, force: true })
  }
}

const [what, size = '1024'] = process.argv.slice(2)
if (what === 'branch') {
  const megabytes = Number(size)
  await onXfs(megabytes, folder => inHouse(folder, harness => branch(harness, megabytes)))
  const { type } = statfsSync(tmpdir())
  console.log(`${tmpdir()} (file system 0x${type.toString(16)}), ${megabytes} MB:`)
  await inHouse(tmpdir(), harness => branch(harness, megabytes))
} else await inHouse(tmpdir(), starts)
