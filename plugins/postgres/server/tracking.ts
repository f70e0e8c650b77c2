import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ProcessTable } from '../../../kernel/contract/plugin.ts'
import { type Places, passwordOf } from '../files/paths.ts'
import { maintenance, superuser, type Target } from './client.ts'
import { startedServers } from './leftover.ts'

/** What a postmaster tells of itself in its lock file: https://github.com/postgres/postgres/blob/master/src/include/utils/pidfile.h */
export interface LockFile {
  readonly pid: number
  readonly port: number
  /** `starting`, `ready` … */
  readonly status: string
}

/** The lock file of a cluster; a killed server leaves it behind. */
export async function lockFile(cluster: string): Promise<LockFile | undefined> {
  const text = await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const lines = text.split('\n').map(line => line.trim())
  return { pid: Number(lines[0]), port: Number(lines[3]), status: lines[7] ?? '' }
}

/** How the running server of a service is reached: by its socket, or its port where the socket's folder was removed; undefined where none runs. */
export async function runningTarget(places: Places, table: ProcessTable): Promise<Target | undefined> {
  const lock = await lockFile(places.cluster)
  if (lock === undefined) return undefined
  const started = (await startedServers(places)).find(({ pid }) => pid === lock.pid)
  if (started === undefined || (await table.start(started.pid)) !== started.start) return undefined
  const password = passwordOf(places)
  // A server does not bind its socket again.
  const isThere = existsSync(join(places.socket, `.s.PGSQL.${lock.port}`))
  return {
    host: isThere ? places.socket : '127.0.0.1',
    port: lock.port,
    user: superuser,
    password,
    database: maintenance,
  }
}
