import type { Client } from 'pg'
import { LocaldError, messageOf } from '../../kernel/errors.ts'
import { identifier, literal, type Target, withClient } from './client.ts'

/** A database that was copied from another of its cluster. */
export interface Branch {
  readonly name: string
  readonly from: string
  /** UTC ISO 8601. */
  readonly madeAt: string
  readonly bytes: number
}

/** How a branch is known as one: the comment on it. */
const mark = 'locald: branch of '
const pauseMs = 20
/** Below this a database is copied through the log. */
const smallBytes = 64 * 1024 * 1024

/** The branches in a cluster. */
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

/**
 * Copies a database under another name: as clones of its files where PostgreSQL (18 and later) and the file system can. Its clients
 * are disconnected, and connect again when it is done. Throws STEP_FAILED; then there is no such database.
 */
export async function makeBranch(target: Target, from: string, name: string): Promise<void> {
  await withClient(target, async client => {
    try {
      const sql = `CREATE DATABASE ${identifier(name)} TEMPLATE ${identifier(from)}${await strategyFor(client, from)}`
      await whileAway(target, from, () => client.query(sql))
    } catch (error) {
      throw new LocaldError('STEP_FAILED', `no branch '${name}' of database '${from}' was made: ${messageOf(error)}`, {
        hint: 'Choose another name, name another database with --from, or disconnect what uses it.',
        cause: error,
      })
    }
    const comment = `${mark}${new Date().toISOString()} ${from}`
    await client.query(`COMMENT ON DATABASE ${identifier(name)} IS ${literal(comment)}`)
  })
}

/** Copying files takes two checkpoints, so that a small database is written to the log faster. Before 15 there is no choice. */
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
  await withClient(target, client => client.query(`DROP DATABASE ${identifier(name)} WITH (FORCE)`))
}

/**
 * CREATE DATABASE waits up to five seconds until nobody uses the template, and keeps new clients waiting: those that are there are sent
 * away meanwhile.
 */
async function whileAway(target: Target, database: string, copy: () => Promise<unknown>): Promise<void> {
  let isDone = false
  const copying = copy().finally(() => {
    isDone = true
  })
  copying.catch(() => {})
  await withClient(target, async client => {
    while (!isDone) {
      await sendAway(client, database)
      await Promise.race([copying.catch(() => {}), new Promise(wake => setTimeout(wake, pauseMs))])
    }
  })
  await copying
}

async function sendAway(client: Client, database: string): Promise<void> {
  await client.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = $1 AND pid <> pg_backend_pid() AND backend_type = 'client backend'`,
    [database],
  )
}
