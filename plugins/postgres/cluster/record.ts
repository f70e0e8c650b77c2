import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readJson, writeAtomic } from '../../lib/files.ts'
import { type Major, majorOf } from '../binaries/versions.ts'
import type { CopyOptions } from '../files/copy-tree.ts'

/** locald's record inside a cluster; copies of the cluster include it. */
export interface ClusterRecord {
  /** A hash of the superuser's password; empty: unknown. */
  readonly password: string
  /** Whether `init` has run. */
  readonly initialised: boolean
  /** The path of the project whose data it was copied from. */
  readonly branchOf: string | null
}

const recordFile = 'locald.json'

/** The record of a cluster without one. */
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

/** Returns a hash of a password, which may be stored beside the data. */
export function fingerprintOf(password: string): string {
  return createHash('sha256').update(password).digest('hex')
}

/** Returns the version in a cluster's PG_VERSION; undefined when there is no cluster. */
export async function versionOf(cluster: string): Promise<string | undefined> {
  const text = await readFile(join(cluster, 'PG_VERSION'), 'utf8').catch(() => undefined)
  return text?.trim()
}

/** Returns a cluster's version as a supported major. */
export async function clusterMajor(cluster: string): Promise<Major | undefined> {
  return majorOf((await versionOf(cluster)) ?? '')
}

export async function isCluster(folder: string): Promise<boolean> {
  return (await versionOf(folder)) !== undefined
}

/**
 * Files that belong to a running server, or that each start creates: "Low Level Base Backup" in PostgreSQL's manual.
 */
const transient = /^(?:pg_(?:replslot|dynshmem|notify|serial|snapshots|stat_tmp|subtrans)\/|postmaster\.(?:pid|opts)$)/

/** Copies a cluster without the files of a running server. */
export const clusterCopy: CopyOptions = {
  skip: path => transient.test(path) || /(?:^|\/)(?:pgsql_tmp|pg_internal\.init)/.test(path),
}
