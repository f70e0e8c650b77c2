import { chown, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { ProcessTable } from '../../../kernel/contract/plugin.ts'
import { makeSocketFolder } from '../files/paths.ts'
import { maintenance, sqlStateOf, superuser, type Target, withClient } from './client.ts'
import { type SetupInput, setupArgv } from './command-line.ts'
import { damagedDataError, diagnoseExit } from './diagnosis.ts'
import { runHelper } from './helper-process.ts'
import { readLockFile, recordServer } from './tracking.ts'

/** The port only names the socket; a second server beside it takes the next. */
const firstPort = 5432
const pauseMs = 10
/** After this the server is killed: ms. */
const shutdownMs = 30_000

/**
 * Runs a server on an unused cluster while `use` runs: only the caller can connect, without a password. Throws
 * SERVICE_FAILED when it does not start.
 */
export async function withSetupServer(
  input: SetupInput,
  table: ProcessTable,
  signal: AbortSignal,
  use: (target: Target) => Promise<void>,
  port = firstPort,
): Promise<void> {
  const { cluster, paths, account, key } = input
  const accessFile = join(cluster, 'locald.hba')
  await writeFile(accessFile, 'local all all trust\n', { mode: 0o600 })
  await makeSocketFolder(paths)
  if (account.owner !== undefined) {
    for (const path of [accessFile, paths.socket]) await chown(path, account.owner.uid, account.owner.gid)
  }
  const helper = runHelper(setupArgv(input, port, accessFile))
  let hasExited = false
  void helper.done.then(() => {
    hasExited = true
  })
  const target = { host: paths.socket, port, user: superuser, password: '', database: maintenance }
  try {
    await recordServer(paths, helper.pid ?? null, table)
    while (!hasExited && !(await canQuery(target, cluster))) {
      signal.throwIfAborted()
      await setTimeout(pauseMs)
    }
    if (hasExited) throw await diagnoseExit(key, cluster, (await helper.done).lines)
    await use(target)
  } finally {
    helper.kill('SIGINT')
    const timeout = new AbortController()
    await Promise.race([helper.done, setTimeout(shutdownMs, undefined, { signal: timeout.signal }).catch(() => {})])
    timeout.abort()
    if (!hasExited) helper.kill('SIGKILL')
    await helper.done
    await rm(accessFile, { force: true })
  }
}

/** Corrupt data, corrupt index, missing file; and a database whose folder is missing. */
const damageStates = ['XX001', 'XX002', '58P01', '3D000']

/**
 * Returns whether a query succeeds; false while the server does not listen or starts up. Throws errors that are
 * permanent. Connects only once the lock file says ready: each earlier attempt would write a FATAL line to the server's
 * log.
 */
export async function canQuery(target: Target, cluster: string): Promise<boolean> {
  if ((await readLockFile(cluster))?.status !== 'ready') return false
  try {
    await withClient(target, client => client.query('SELECT 1'))
    return true
  } catch (error) {
    const state = sqlStateOf(error)
    // 57P: starting up, shutting down; 53300: too many connections.
    if (state === undefined || state.startsWith('57P') || state === '53300') return false
    throw damageStates.includes(state) ? damagedDataError(error) : error
  }
}
