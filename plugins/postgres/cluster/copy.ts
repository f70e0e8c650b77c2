import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Client } from 'pg'
import { LocaldError, messageOf } from '../../../kernel/errors.ts'
import { type CopyOptions, copyTree } from '../files/copy-tree.ts'
import { requireFreeSpace } from '../files/free-space.ts'
import { type Target, withClient } from '../server/client.ts'
import { clusterCopy, clusterMajor } from './record.ts'

/**
 * Copies a cluster that is not in use, or, with `running`, one that is: as a base backup, without stopping its clients
 * ("Making a Base Backup Using the Low Level API" in PostgreSQL's manual). The copy shows the state at the end of
 * copying. Throws STEP_FAILED.
 */
export async function copyCluster(
  from: string,
  to: string,
  running: Target | undefined,
  options: Pick<CopyOptions, 'owner' | 'signal'>,
): Promise<void> {
  await refuseTablespaces(from)
  await requireFreeSpace(from, to)
  if (running === undefined) await copyTree(from, to, { ...clusterCopy, ...options })
  else await withClient(running, client => backUp(client, from, to, options))
}

async function backUp(
  client: Client,
  from: string,
  to: string,
  options: Pick<CopyOptions, 'owner' | 'signal'>,
): Promise<void> {
  const old = Number(await clusterMajor(from)) < 15
  const begin = old ? "pg_start_backup('locald', true, false)" : "pg_backup_start('locald', true)"
  const end = old ? 'pg_stop_backup(false, false)' : 'pg_backup_stop(false)'
  const { rows: started } = await client.query<{ file: string }>(`SELECT pg_walfile_name(${begin}) AS file`)
  const skip = (path: string, isFolder: boolean) => isLog(path) || clusterCopy.skip?.(path, isFolder) === true
  await copyTree(from, to, { ...options, skip, live: true })
  const { rows: stopped } = await client.query<{ file: string; label: string }>(
    `SELECT pg_walfile_name(lsn) AS file, labelfile AS label FROM ${end}`,
  )
  const [first, last] = [started[0]?.file, stopped[0]]
  if (first === undefined || last === undefined) throw incompleteError('the server returned no backup label')
  await copyLog(join(from, 'pg_wal'), join(to, 'pg_wal'), { first, last: last.file }, options.signal)
  const label = join(to, 'backup_label')
  await writeFile(label, last.label, { mode: 0o600 })
}

const segment = /^[0-9A-F]{24}$/

function isLog(path: string): boolean {
  return path.startsWith('pg_wal/')
}

/**
 * Segments after the last one that are copied, too: the copy reuses them instead of writing new ones, which would share
 * no blocks.
 */
const spare = 2

/**
 * Copies the segments that the copy needs to become consistent; the server keeps those between a checkpoint and now.
 */
async function copyLog(
  from: string,
  to: string,
  { first, last }: { readonly first: string; readonly last: string },
  signal: AbortSignal | undefined,
): Promise<void> {
  // The timeline is the first eight digits; it does not change while a server runs.
  const segments = (await readdir(from)).filter(name => segment.test(name) && name >= first).sort()
  const next = segments.filter(name => name > last).slice(0, spare)
  const isNeeded = (name: string) => segments.includes(name) && (name <= last || next.includes(name))
  await copyTree(from, to, { signal, skip: path => !isNeeded(path), live: true })
  await mkdir(join(to, 'archive_status'), { mode: 0o700 })
  const names = new Set(await readdir(to))
  if (!names.has(first) || !names.has(last)) {
    throw incompleteError('its log was recycled: data is written faster than it can be copied')
  }
}

/** Refuses tablespaces, which are outside the cluster: a copy would write to the original's. */
async function refuseTablespaces(cluster: string): Promise<void> {
  const names = await readdir(join(cluster, 'pg_tblspc')).catch(error => {
    throw incompleteError(messageOf(error))
  })
  if (names.length > 0) {
    throw new LocaldError('STEP_FAILED', 'a cluster with tablespaces cannot be copied', {
      hint: 'Move its tables to the default tablespace first.',
    })
  }
}

function incompleteError(reason: string): LocaldError {
  return new LocaldError('STEP_FAILED', `the data could not be copied: ${reason}`, { hint: 'Try again.' })
}
