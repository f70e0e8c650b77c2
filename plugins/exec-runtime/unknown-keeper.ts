import { rm } from 'node:fs/promises'
import { constants } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import type { Log } from '../../kernel/contract/plugin.ts'
import { findRecordedKeeper } from './exit-record.ts'
import { KeeperConnection } from './keeper-connection.ts'

/** After SIGKILL a keeper's processes exit within this time: ms. */
const killedMs = 3000
/** How long a keeper may take to bind its socket again, and the pause between attempts to connect: ms. */
const wakeMs = 2000
const wakeStepMs = 20

/** A keeper's files: the common path of its sockets, and its exit record. */
export interface KeeperFiles {
  readonly base: string
  readonly exitFile: string
}

/** How a keeper is stopped. */
export interface StopOptions {
  /** A keeper, which can check locks. */
  readonly program: string
  /** After this time its processes are killed: ms. */
  readonly graceMs: number
  readonly log: Log
}

/**
 * Stops a keeper that no daemon knows, and removes its files. Waits for it: its processes may use a port that is
 * needed. Leaves one that does not respond, with a warning.
 */
export async function stopUnknownKeeper(
  { base, exitFile }: KeeperFiles,
  { program, graceMs, log }: StopOptions,
): Promise<void> {
  const open = await KeeperConnection.open(`${base}.s`)
  // Checked once where there is none, as for each service that ran when the machine lost its power.
  const keeper = open === undefined ? await findRecordedKeeper(exitFile, program) : undefined
  const connection = keeper === undefined ? open : await wakeKeeper(base, keeper)
  if (connection !== undefined) {
    log.warn(`${base}.s: stopping an unknown service of an earlier daemon`)
    // It may be stopped, or traced: a later daemon tries again.
    if (!(await waitForExit(connection, graceMs)))
      return log.warn(`${base}.s: its keeper does not respond and still runs`)
  } else if (keeper !== undefined && (await findRecordedKeeper(exitFile, program)) !== undefined)
    return log.warn(`${base}.s: its keeper is unreachable and still runs`)
  const files = [...['s', 'n', 'x'].map(end => `${base}.${end}`), exitFile]
  await Promise.all(files.map(file => rm(file, { force: true })))
}

async function waitForExit(connection: KeeperConnection, graceMs: number): Promise<boolean> {
  const timer = setTimeout(() => connection.send(`stop ${constants.signals.SIGKILL} 0`), graceMs)
  connection.send('finish')
  const over = new AbortController()
  const late = pause(graceMs + killedMs, 'late', { signal: over.signal }).catch(() => 'late')
  const first = await Promise.race([connection.next('exit'), late])
  clearTimeout(timer)
  over.abort()
  connection.close()
  return first !== 'late'
}

/** Connects to a keeper whose socket was deleted: it binds it again at SIGHUP. */
async function wakeKeeper(base: string, pid: number): Promise<KeeperConnection | undefined> {
  if (!sendHangup(pid)) return undefined
  for (const end = performance.now() + wakeMs; performance.now() < end; await pause(wakeStepMs)) {
    const connection = await KeeperConnection.open(`${base}.s`)
    if (connection !== undefined) return connection
  }
  return undefined
}

/** Returns false when the keeper has just exited. */
function sendHangup(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGHUP')
  } catch {
    return false
  }
}

/**
 * Stops a service that cannot be supervised because `ps` failed: it would run unseen, and the next start would start
 * another.
 */
export async function stopUnsupervised(connection: KeeperConnection): Promise<void> {
  const exited = connection.next('exit')
  connection.send(`stop ${constants.signals.SIGKILL} 0`)
  await Promise.race([exited, pause(killedMs, undefined, { ref: false })])
  connection.close()
}
