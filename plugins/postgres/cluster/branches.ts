import { randomBytes } from 'node:crypto'
import type { Client } from 'pg'
import { LocaldError, messageOf } from '../../../kernel/errors.ts'
import { maintenance, sqlStateOf, type Target, withClient } from '../server/client.ts'

/** A copy of another database in the same cluster. */
export interface Branch {
  readonly name: string
  readonly from: string
  /** UTC ISO 8601. */
  readonly madeAt: string
  readonly bytes: number
}

/** The comment on a database that marks it as a branch. */
const mark = 'locald: branch of '
const pauseMs = 20
/** A smaller database is copied through the log: bytes. */
const smallBytes = 64 * 1024 * 1024

/** Lists the branches in a cluster. */
export async function listBranches(target: Target): Promise<readonly Branch[]> {
  return withClient(target, async client => {
    const { rows } = await client.query<{ name: string; comment: string; bytes: string }>(
      `SELECT datname AS name, shobj_description(oid, 'pg_database') AS comment, pg_database_size(oid) AS bytes
       FROM pg_database WHERE shobj_description(oid, 'pg_database') LIKE $1 ORDER BY datname`,
      [`${mark}%`],
    )
    return rows.flatMap(({ name, comment, bytes }) => {
      const [, madeAt, from] = /^locald: branch of (\S+) (.*)$/s.exec(comment) ?? []
      return madeAt === undefined || from === undefined ? [] : [{ name, from, madeAt, bytes: Number(bytes) }]
    })
  })
}

/** The name prefix of a database until its copy is complete and marked as a branch. */
const unfinished = 'locald-unfinished-'
/** The prefix of this daemon's copies, which may still be running. */
const ownPrefix = `${unfinished}${randomBytes(4).toString('hex')}-`

/**
 * Copies a database under another name: as clones of its files where PostgreSQL (18 and later) and the file system can.
 * Disconnects its clients, which may reconnect when it is done. Throws STEP_FAILED, without leaving a database.
 */
export async function createBranch(target: Target, from: string, name: string): Promise<void> {
  const temporary = `${ownPrefix}${randomBytes(4).toString('hex')}`
  // Connected to another database: a connected client prevents a database from being copied.
  const elsewhere = { ...target, database: from === maintenance ? 'template1' : maintenance }
  try {
    await withClient(elsewhere, async client => {
      await requireUnusedName(client, name)
      // When the connection is lost during the copy, the server notices and cancels it (14 and later).
      await client.query("SELECT set_config(name, '500ms', false) FROM pg_settings WHERE name = $1", [lossCheck])
      const strategy = await strategyFor(client, from)
      const sql = `CREATE DATABASE ${client.escapeIdentifier(temporary)} TEMPLATE ${client.escapeIdentifier(from)}${strategy}`
      await whileDisconnected(elsewhere, from, () => client.query(sql))
      const comment = `${mark}${new Date().toISOString()} ${from}`
      await client.query(
        `COMMENT ON DATABASE ${client.escapeIdentifier(temporary)} IS ${client.escapeLiteral(comment)}`,
      )
      await client.query(
        `ALTER DATABASE ${client.escapeIdentifier(temporary)} RENAME TO ${client.escapeIdentifier(name)}`,
      )
    })
  } catch (error) {
    // If this fails, the next start drops it; the first failure is the one to report.
    await withClient(target, client => dropDatabase(client, temporary)).catch(() => {})
    throw new LocaldError(
      'STEP_FAILED',
      `could not create branch '${name}' of database '${from}': ${messageOf(error)}`,
      {
        hint:
          sqlStateOf(error) === diskFull
            ? 'Free some space on the disk of its data.'
            : 'Choose another name, name another database with --from, or disconnect what uses it.',
        cause: error,
      },
    )
  }
}

const diskFull = '53100'
const lossCheck = 'client_connection_check_interval'

async function requireUnusedName(client: Client, name: string): Promise<void> {
  const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [name])
  if (rowCount !== 0) throw new Error(`database "${name}" already exists`)
}

/** How often incomplete databases are looked for, with a pause in between. */
const maxSweeps = 250

/** Cancels copies of databases that an earlier daemon started, and drops them. */
export async function sweepBranches(target: Target): Promise<void> {
  await withClient({ ...target, database: maintenance }, async client => {
    for (let rounds = maxSweeps; rounds > 0; rounds--) {
      const { rowCount } = await client.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE query LIKE 'CREATE DATABASE "${unfinished}%' AND query NOT LIKE '%"${ownPrefix}%'`,
      )
      const { rows } = await client.query<{ name: string }>(
        `SELECT datname AS name FROM pg_database WHERE datname LIKE '${unfinished}%' AND datname NOT LIKE '${ownPrefix}%'`,
      )
      if (rowCount === 0 && rows.length === 0) return
      for (const { name } of rows) await dropDatabase(client, name)
      // A copy is invisible until it is complete, and its backend may be past the point where it can be terminated.
      await new Promise(wake => setTimeout(wake, pauseMs))
    }
  })
}

async function dropDatabase(client: Client, name: string): Promise<void> {
  await client.query(`DROP DATABASE IF EXISTS ${client.escapeIdentifier(name)} WITH (FORCE)`)
}

/**
 * Returns the fastest strategy: copying files takes two checkpoints, so a small database is written to the log. Before
 * 15 there is no choice.
 */
async function strategyFor(client: Client, database: string): Promise<string> {
  const { rows } = await client.query<{ old: boolean; small: boolean }>(
    `SELECT current_setting('server_version_num')::int < 150000 AS old,
            pg_database_size($1::name) < ${smallBytes} AS small`,
    [database],
  )
  if (rows[0]?.old !== false) return ''
  return rows[0].small ? ' STRATEGY WAL_LOG' : ' STRATEGY FILE_COPY'
}

export async function dropBranch(target: Target, name: string): Promise<void> {
  await withClient(target, client => dropDatabase(client, name))
}

/**
 * Disconnects a database's clients until a copy is done: CREATE DATABASE waits up to five seconds for an unused
 * template, and keeps new clients waiting.
 */
async function whileDisconnected(elsewhere: Target, database: string, copy: () => Promise<unknown>): Promise<void> {
  await withClient(elsewhere, async client => {
    let isDone = false
    const copying = copy().finally(() => {
      isDone = true
    })
    copying.catch(() => {})
    while (!isDone) {
      await disconnectClients(client, database)
      await Promise.race([copying.catch(() => {}), new Promise(wake => setTimeout(wake, pauseMs))])
    }
    await copying
  })
}

async function disconnectClients(client: Client, database: string): Promise<void> {
  await client.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = $1 AND pid <> pg_backend_pid() AND backend_type = 'client backend'`,
    [database],
  )
}
