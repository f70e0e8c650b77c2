import { existsSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { ProcessTable } from '../../../kernel/contract/plugin.ts'
import { LocaldError } from '../../../kernel/errors.ts'
import { readJson, writeAtomic } from '../../lib/files.ts'
import { passwordOf, type ServicePaths } from '../files/paths.ts'
import { maintenance, superuser, type Target } from './client.ts'

/** What a postmaster tells of itself in its lock file: https://github.com/postgres/postgres/blob/master/src/include/utils/pidfile.h */
export interface LockFile {
  readonly pid: number
  readonly port: number
  /** `starting`, `ready` … */
  readonly status: string
}

/** The lock file of a cluster; a killed server leaves it behind. */
export async function readLockFile(cluster: string): Promise<LockFile | undefined> {
  const text = await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const lines = text.split('\n').map(line => line.trim())
  return { pid: Number(lines[0]), port: Number(lines[3]), status: lines[7] ?? '' }
}

/** How the running server of a service is reached: by its socket, or its port where the socket's folder was removed; undefined where none runs. */
export async function findRunningTarget(paths: ServicePaths, table: ProcessTable): Promise<Target | undefined> {
  const lock = await readLockFile(paths.cluster)
  if (lock === undefined) return undefined
  const started = (await readStartedServers(paths)).find(({ pid }) => pid === lock.pid)
  if (started === undefined || (await table.start(started.pid)) !== started.start) return undefined
  const password = passwordOf(paths)
  // A server does not bind its socket again.
  const isRunning = existsSync(join(paths.socket, `.s.PGSQL.${lock.port}`))
  return {
    host: isRunning ? paths.socket : '127.0.0.1',
    port: lock.port,
    user: superuser,
    password,
    database: maintenance,
  }
}

/** A server that was started on a service's data. */
export interface StartedServer {
  readonly pid: number
  /** The process table's token, without which a pid says nothing. */
  readonly start: string
}

/** An immediate shutdown takes milliseconds: ms until it is killed, and until it is given up. */
const stopStepMs = 5000

/** The servers that were started last. */
export async function readStartedServers({ serverFile }: ServicePaths): Promise<readonly StartedServer[]> {
  const value = await readJson(serverFile)
  return Array.isArray(value) ? value.filter(isStartedServer) : []
}

/** Remembers a server, so that the next start can tell whether it is still there. */
export async function recordServer(paths: ServicePaths, pid: number | null, table: ProcessTable): Promise<void> {
  const start = pid === null ? undefined : await table.start(pid)
  if (pid === null || start === undefined) return
  const others: StartedServer[] = []
  for (const other of await readStartedServers(paths)) {
    if ((await table.start(other.pid)) === other.start) others.push(other)
  }
  writeAtomic(paths.serverFile, JSON.stringify([...others, { pid, start }]))
}

/**
 * Ends servers that lost their daemon before anybody could take them over, and removes the lock file of one that is gone where its
 * pid is another process's by now, or a zombie's: PostgreSQL would take that for a running server. SERVICE_FAILED when one cannot be
 * ended.
 */
export async function stopLeftoverServers(paths: ServicePaths, table: ProcessTable): Promise<void> {
  const lock = await readLockFile(paths.cluster)
  for (const server of await readStartedServers(paths)) {
    await stopServer(server, paths, table)
    if (lock?.pid === server.pid && isAlive(server.pid))
      await rm(join(paths.cluster, 'postmaster.pid'), { force: true })
  }
  // The socket has a lock file, too; nobody listens there any more.
  await rm(paths.socket, { recursive: true, force: true })
}

async function stopServer({ pid, start }: StartedServer, paths: ServicePaths, table: ProcessTable): Promise<void> {
  const isRunning = async () => (await table.start(pid)) === start
  if (!(await isRunning())) return
  for (const signal of ['SIGQUIT', 'SIGKILL'] as const) {
    kill(pid, signal)
    for (let waited = 0; waited < stopStepMs && (await isRunning()); waited += 20) await setTimeout(20)
  }
  if (!(await isRunning())) return
  throw new LocaldError('SERVICE_FAILED', `process ${pid}, an earlier server of ${paths.data}, does not end`, {
    hint: `End it: kill -9 ${pid}.`,
  })
}

function isStartedServer(value: unknown): value is StartedServer {
  if (typeof value !== 'object' || value === null || !('pid' in value) || !('start' in value)) return false
  return Number.isInteger(value.pid) && typeof value.start === 'string'
}

/** Whether a signal would find anybody, as PostgreSQL asks it. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It ended by itself, or is not ours: the table tells.
  }
}
