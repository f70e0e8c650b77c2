import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { LocaldError } from '../../kernel/errors.ts'
import type { ProcessTable } from '../../kernel/plugin.ts'
import { type Places, readJson, writePrivate } from './places.ts'

/** Which server was started last on a service's data. */
interface Started {
  readonly pid: number
  /** The process table's token, without which a pid says nothing. */
  readonly start: string
}

/** An immediate shutdown takes milliseconds: ms until it is killed, and until it is given up. */
const patienceMs = 5000

/** Remembers a server, so that the next start can tell whether it is still there. */
export async function rememberServer(places: Places, pid: number | null, table: ProcessTable): Promise<void> {
  const start = pid === null ? undefined : await table.start(pid)
  if (pid !== null && start !== undefined) writePrivate(places.serverFile, JSON.stringify({ pid, start }))
}

/**
 * Ends a server that lost its daemon before anybody could take it over, and removes its lock file where another process has its
 * pid by now, which PostgreSQL would take for a running server. SERVICE_FAILED when it cannot be ended.
 */
export async function endLeftover(places: Places, table: ProcessTable): Promise<void> {
  const last = startedOf(await readJson(places.serverFile))
  if (last === undefined) return
  const isThere = async () => (await table.start(last.pid)) === last.start
  if (await isThere()) {
    for (const signal of ['SIGQUIT', 'SIGKILL'] as const) {
      kill(last.pid, signal)
      for (let waited = 0; waited < patienceMs && (await isThere()); waited += 20) await setTimeout(20)
    }
    if (await isThere()) {
      throw new LocaldError(
        'SERVICE_FAILED',
        `process ${last.pid}, an earlier server of ${places.data}, does not end`,
        {
          hint: `End it: kill -9 ${last.pid}.`,
        },
      )
    }
  }
  const lock = join(places.cluster, 'postmaster.pid')
  const [line = ''] = (await readFile(lock, 'utf8').catch(() => '')).split('\n')
  const isTaken = Number(line) === last.pid && (await table.start(last.pid)) !== undefined
  if (isTaken) await rm(lock, { force: true })
}

function startedOf(value: unknown): Started | undefined {
  if (typeof value !== 'object' || value === null || !('pid' in value) || !('start' in value)) return undefined
  const { pid, start } = value
  return Number.isInteger(pid) && typeof pid === 'number' && typeof start === 'string' ? { pid, start } : undefined
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It ended by itself, or is not ours: the table tells.
  }
}
