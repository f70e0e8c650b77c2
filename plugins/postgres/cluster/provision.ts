import { readdir, rm } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { Client } from 'pg'
import { readTextFile } from '../../../kernel/contract/plugin.ts'
import { LocaldError, messageOf } from '../../../kernel/errors.ts'
import { maintenance, type Target, withClient } from '../server/client.ts'

/** What a cluster must have. */
export interface Provisions {
  readonly databases: readonly string[]
  readonly extensions: readonly string[]
}

/** PostgreSQL truncates longer names, and would not find them again: bytes of UTF-8. */
const longest = 63

/** Throws STEP_FAILED when the name of a database is too long. */
export function requireNames({ databases }: Provisions): void {
  const name = databases.find(each => Buffer.byteLength(each) > longest)
  if (name === undefined) return
  const message = `the name of database '${name}' is longer than ${longest} bytes`
  throw new LocaldError('STEP_FAILED', message, { hint: 'Shorten it in `databases`.' })
}

/** Creates missing databases and extensions. Throws STEP_FAILED, naming the one that failed. */
export async function provision(target: Target, { databases, extensions }: Provisions): Promise<void> {
  await withClient({ ...target, database: maintenance }, async client => {
    const { rows } = await client.query<{ datname: string }>('SELECT datname FROM pg_database')
    const there = new Set(rows.map(({ datname }) => datname))
    for (const name of databases) {
      if (!there.has(name))
        await create(client, `database '${name}'`, `CREATE DATABASE ${client.escapeIdentifier(name)}`)
    }
  })
  if (extensions.length === 0) return
  for (const database of databases) {
    await withClient({ ...target, database }, async client => {
      for (const name of extensions) {
        const sql = `CREATE EXTENSION IF NOT EXISTS ${client.escapeIdentifier(name)} CASCADE`
        await create(client, `extension '${name}' in database '${database}'`, sql)
      }
    })
  }
}

async function create(client: Client, what: string, sql: string): Promise<void> {
  try {
    await client.query(sql)
  } catch (error) {
    throw new LocaldError('STEP_FAILED', `${what} could not be created: ${messageOf(error)}`, { cause: error })
  }
}

/** A larger `init` file is one for psql: bytes; and the time to read it: ms. */
const initLimits = { bytes: 256 * 1024 * 1024, ms: 60_000 } as const

/**
 * Reads the `init` file, without a byte order mark, as psql does. Throws STEP_FAILED when it is unreadable, not UTF-8,
 * or needs psql.
 */
export async function readInit(file: string, project: string): Promise<string> {
  const shown = relative(project, file)
  const read = await readTextFile(file, initLimits)
  const refusal = (reason: string, hint: string) =>
    new LocaldError('STEP_FAILED', `init: ${shown}: ${reason}`, { hint })
  if (read === undefined || 'fault' in read)
    throw refusal(read?.fault ?? 'not found', 'Correct `init`; it is relative to the project.')
  if (!read.isUtf8) throw refusal('not UTF-8 text', `Convert it: \`iconv -f latin1 -t utf8 ${shown}\`.`)
  const { text } = read
  const line = text.split('\n').findIndex(each => /^\\|^COPY .* FROM stdin/i.test(each))
  if (line < 0) return text
  throw new LocaldError('STEP_FAILED', `init: ${shown}:${line + 1}: psql command, not SQL`, {
    hint: 'Make the file with `pg_dump --inserts`, and remove lines that begin with a backslash.',
    problems: [{ message: 'not SQL', file, line: line + 1 }],
  })
}

/** Runs the `init` file, in one transaction unless it has its own. Throws STEP_FAILED with file and line. */
export async function runInit(target: Target, text: string, file: string, project: string): Promise<void> {
  try {
    await withClient(target, client => client.query(text))
  } catch (error) {
    const position = typeof error === 'object' && error !== null ? Number(Reflect.get(error, 'position')) : Number.NaN
    const line = position > 0 ? [...text].slice(0, position).filter(char => char === '\n').length + 1 : undefined
    const shown = `${relative(project, join(file))}${line === undefined ? '' : `:${line}`}`
    throw new LocaldError('STEP_FAILED', `init: ${shown}: ${messageOf(error)}`, {
      hint: 'Correct the file; the cluster was discarded, so the next `up` runs it again.',
      problems: [{ message: messageOf(error), file, ...(line === undefined ? {} : { line }) }],
      cause: error,
    })
  }
}

/** The first number of databases that users create (FirstNormalObjectId). */
const firstNumber = 16_384

/** Returns the folders of databases, which are numbers, in a cluster whose server is stopped. */
export async function databaseFolders(cluster: string): Promise<readonly string[]> {
  const names = await readdir(join(cluster, 'base')).catch(() => [])
  return names.filter(name => /^\d+$/.test(name) && Number(name) >= firstNumber)
}

/**
 * Removes the files of databases whose creation a killed server did not finish: PostgreSQL leaves them behind.
 * Considers only `folders`, which existed before the server's start: none of those can be a database that is being
 * created.
 */
export async function removeOrphans(target: Target, cluster: string, folders: readonly string[]): Promise<void> {
  if (folders.length === 0) return
  await withClient({ ...target, database: maintenance }, async client => {
    const { rows } = await client.query<{ oid: string }>('SELECT oid::text AS oid FROM pg_database')
    const known = new Set(rows.map(({ oid }) => oid))
    const orphans = folders.filter(name => !known.has(name))
    for (const name of orphans) await rm(join(cluster, 'base', name), { recursive: true, force: true })
  })
}
