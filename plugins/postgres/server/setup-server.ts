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

/** Its number only names the socket; a second server beside it takes the next. */
const firstPort = 5432
const pauseMs = 10
/** After this the shutdown is not waited for any longer: ms. */
const shutdownMs = 30_000

/**
 * Runs a server on a cluster that is not in use, reached by nobody but the caller and without a password, for as long as `use` takes.
 * Throws SERVICE_FAILED when it does not start.
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

/** Of data corrupted, index corrupted, a file that is not there; and a database whose folder is not there. */
const damageStates = ['XX001', 'XX002', '58P01', '3D000']

/**
 * Whether a query succeeds. Not yet: nobody listens, or it is starting up. Throws what does not pass by itself. It is only tried when
 * the server says that it is ready: each try before would be a FATAL line in its log.
 */
export async function canQuery(target: Target, cluster: string): Promise<boolean> {
  if ((await readLockFile(cluster))?.status !== 'ready') return false
  try {
    await withClient(target, client => client.query('SELECT 1'))
    return true
  } catch (error) {
    const state = sqlStateOf(error)
    // 57P: starting up, shutting down; 53300: all connections are taken.
    if (state === undefined || state.startsWith('57P') || state === '53300') return false
    throw damageStates.includes(state) ? damagedDataError(error) : error
  }
}
