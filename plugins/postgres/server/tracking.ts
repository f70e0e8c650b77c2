import { existsSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { ProcessTable } from '../../../kernel/contract/plugin.ts'
import { LocaldError } from '../../../kernel/errors.ts'
import { readJson, writeAtomic } from '../../lib/files.ts'
import { passwordOf, type ServicePaths } from '../files/paths.ts'
import { maintenance, superuser, type Target } from './client.ts'

/**
 * What a postmaster writes into its lock file:
 * https://github.com/postgres/postgres/blob/master/src/include/utils/pidfile.h
 */
export interface LockFile {
  readonly pid: number
  readonly port: number
  /** `starting`, `ready` … */
  readonly status: string
}

/** Reads the lock file of a cluster; a killed server leaves it behind. */
export async function readLockFile(cluster: string): Promise<LockFile | undefined> {
  const text = await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const lines = text.split('\n').map(line => line.trim())
  return { pid: Number(lines[0]), port: Number(lines[3]), status: lines[7] ?? '' }
}

/**
 * Returns how to connect to a service's running server: by its socket, or by its port when the socket's folder was
 * deleted; undefined when it is stopped.
 */
export async function findRunningTarget(paths: ServicePaths, table: ProcessTable): Promise<Target | undefined> {
  const lock = await readLockFile(paths.cluster)
  if (lock === undefined) return undefined
  const started = (await readStartedServers(paths)).find(({ pid }) => pid === lock.pid)
  if (started === undefined || (await table.start(started.pid)) !== started.start) return undefined
  const password = passwordOf(paths)
  // A server does not create its socket again.
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
  /** The process table's start token: a pid alone may be another process's. */
  readonly start: string
}

/** An immediate shutdown takes milliseconds; after this SIGKILL follows, and then an error: ms. */
const stopStepMs = 5000

/** Reads the servers that were started last. */
export async function readStartedServers({ serverFile }: ServicePaths): Promise<readonly StartedServer[]> {
  const value = await readJson(serverFile)
  return Array.isArray(value) ? value.filter(isStartedServer) : []
}

/** Records a server, so that the next start can check whether it still runs. */
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
 * Stops servers whose daemon exited before another could adopt them. Removes the lock file of one that exited if its
 * pid now belongs to another process, or to a zombie: PostgreSQL would take that for a running server. Throws
 * SERVICE_FAILED when one does not stop.
 */
export async function stopLeftoverServers(paths: ServicePaths, table: ProcessTable): Promise<void> {
  const lock = await readLockFile(paths.cluster)
  for (const server of await readStartedServers(paths)) {
    await stopServer(server, paths, table)
    if (lock?.pid === server.pid && isAlive(server.pid))
      await rm(join(paths.cluster, 'postmaster.pid'), { force: true })
  }
  // The socket has a lock file, too; nothing listens there any more.
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
  throw new LocaldError('SERVICE_FAILED', `process ${pid}, an earlier server of ${paths.data}, does not stop`, {
    hint: `Run \`kill -9 ${pid}\`.`,
  })
}

function isStartedServer(value: unknown): value is StartedServer {
  if (typeof value !== 'object' || value === null || !('pid' in value) || !('start' in value)) return false
  return Number.isInteger(value.pid) && typeof value.start === 'string'
}

/** Returns whether a signal would find a process, as PostgreSQL checks it. */
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
    // It exited, or belongs to another user: the next look at the table shows which.
  }
}
