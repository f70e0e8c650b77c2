import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import t, { type Test } from 'tap'
import { PostgresHarness } from './harness.ts'

// On a busy machine: ms.
t.setTimeout(600_000)

export const isRoot = process.getuid?.() === 0

export const gentle = { signal: 'SIGTERM', graceMs: 5000 }

export const shared = new PostgresHarness(mkdtempSync(join(tmpdir(), 'pg-')))

t.teardown(() => shared.close())

/** What a daemon that was killed while it fetched a package or made a template leaves. No process has such a number. */
export const left = ['versions', 'templates'].map(name =>
  join(shared.folders.data, 'postgres', name, `x.unfinished-${2 ** 30}-0a1b2c3d`),
)

/** Runs one query over a connection of its own. */
export async function query(url: string, sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
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

/** Writes numbers, one committed row each, until the connection breaks; the last that was acknowledged. */
export async function writeUntilBroken(
  url: string,
): Promise<{ readonly last: () => number; readonly broken: Promise<void> }> {
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

export async function until(what: string, look: () => boolean | Promise<boolean>, limitMs = 20_000): Promise<void> {
  const end = Date.now() + limitMs
  while (!(await look())) {
    if (Date.now() > end) throw new Error(`timed out waiting for ${what}`)
    await new Promise(wake => setTimeout(wake, 10))
  }
}

/** All that `written` must have after a crash. */
export async function isComplete(t: Test, url: string, last: number): Promise<void> {
  const [row] = await query(url, 'SELECT count(*)::int AS count, max(n) AS last FROM written')
  const found = Number(row?.['last'])
  t.ok(found >= last, `acknowledged up to ${last}, found up to ${found}`)
  t.equal(row?.['count'], found, 'without a gap')
}
