import { type ChildProcess, spawn } from 'node:child_process'
import { open, readFile } from 'node:fs/promises'
import type { Exit } from '../../kernel/contract/plugin.ts'

/** A keeper checks a lock at once: ms. */
const lookMs = 5000
/** A keeper's exit code when another process holds a lock (EX_TEMPFAIL of sysexits(3)). */
const isLocked = 75

/**
 * Reads the exit that a keeper recorded: `{"code", "signal", "endedMs"}`; undefined when there is no record, or when
 * its keeper still runs.
 */
export async function readExit(file: string): Promise<Exit | undefined> {
  const record = await read(file)
  return record === undefined || 'keeper' in record ? undefined : exitOf(record)
}

/**
 * Returns the pid of the running keeper that has begun a record; undefined when there is none. It holds the file's
 * lock, which distinguishes it from another process with its pid. `program`: a keeper, which can check locks.
 */
export async function findRecordedKeeper(file: string, program: string): Promise<number | undefined> {
  const pid = (await read(file))?.['keeper']
  if (typeof pid !== 'number') return undefined
  // Writable: over NFS only such a file can be locked exclusively (flock(2)).
  const opened = await open(file, 'r+').catch(() => undefined)
  if (opened === undefined) return undefined
  try {
    const looker = spawn(program, ['relock'], { stdio: [opened.fd, 'ignore', 'ignore'], timeout: lookMs })
    return (await exitCodeOf(looker)) === isLocked ? pid : undefined
  } finally {
    await opened.close()
  }
}

function exitCodeOf(child: ChildProcess): Promise<number | null> {
  return new Promise(resolve => child.once('error', () => resolve(null)).once('exit', resolve))
}

async function read(file: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined)
  try {
    const value: unknown = text === undefined ? undefined : JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}

/** Returns the exit in a keeper's event or record. */
export function exitOf({ code, signal }: Readonly<Record<string, unknown>>): Exit {
  return { code: typeof code === 'number' ? code : null, signal: typeof signal === 'string' ? signal : null }
}
