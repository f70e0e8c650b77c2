import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readJson, writeAtomic } from '../../lib/files.ts'
import { type Major, majorOf } from '../binaries/versions.ts'
import type { CopyOptions } from '../files/copy-tree.ts'

/** What locald keeps inside a cluster; it goes wherever a copy of it goes. */
export interface ClusterRecord {
  /** A hash of the password its superuser has; empty: one nobody knows. */
  readonly password: string
  /** Whether `init` has been run. */
  readonly initialised: boolean
  /** The project's path whose data it was copied from, where it was. */
  readonly branchOf: string | null
}

const recordFile = 'locald.json'

/** The record of a cluster that has none yet. */
export const newRecord: ClusterRecord = { password: '', initialised: false, branchOf: null }

export async function readRecord(cluster: string): Promise<ClusterRecord> {
  const value = await readJson(join(cluster, recordFile))
  if (typeof value !== 'object' || value === null) return newRecord
  const password: unknown = Reflect.get(value, 'password')
  const branchOf: unknown = Reflect.get(value, 'branchOf')
  return {
    password: typeof password === 'string' ? password : '',
    initialised: Reflect.get(value, 'initialised') === true,
    branchOf: typeof branchOf === 'string' ? branchOf : null,
  }
}

export function writeRecord(cluster: string, record: ClusterRecord): void {
  writeAtomic(join(cluster, recordFile), JSON.stringify(record))
}

/** What of a password may be kept beside the data. */
export function fingerprintOf(password: string): string {
  return createHash('sha256').update(password).digest('hex')
}

/** The version a cluster is of, as its PG_VERSION has it; undefined where there is no cluster. */
export async function versionOf(cluster: string): Promise<string | undefined> {
  const text = await readFile(join(cluster, 'PG_VERSION'), 'utf8').catch(() => undefined)
  return text?.trim()
}

/** The same as a supported major. */
export async function clusterMajor(cluster: string): Promise<Major | undefined> {
  return majorOf((await versionOf(cluster)) ?? '')
}

export async function isCluster(folder: string): Promise<boolean> {
  return (await versionOf(folder)) !== undefined
}

/** Contents that belong to a running server, or are made anew at each start: "Low Level Base Backup" in PostgreSQL's manual. */
const transient = /^(?:pg_(?:replslot|dynshmem|notify|serial|snapshots|stat_tmp|subtrans)\/|postmaster\.(?:pid|opts)$)/

/** How a cluster is copied: without what belongs to a running server. */
export const clusterCopy: CopyOptions = {
  skip: path => transient.test(path) || /(?:^|\/)(?:pgsql_tmp|pg_internal\.init)/.test(path),
}
