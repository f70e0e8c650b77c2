import { type ChildProcess, spawn } from 'node:child_process'
import { open, readFile } from 'node:fs/promises'
import type { Exit } from '../../kernel/contract/plugin.ts'

/** A keeper looks at once: ms. */
const lookMs = 5000
/** Its exit code when another process holds a lock (EX_TEMPFAIL of sysexits(3)). */
const isLocked = 75

/** The exit that a keeper recorded: `{"code", "signal", "endedMs"}`; undefined where there is no record, or one of a keeper that runs. */
export async function readExit(file: string): Promise<Exit | undefined> {
  const record = await read(file)
  return record === undefined || 'keeper' in record ? undefined : exitOf(record)
}

/**
 * The keeper that has begun such a record and lives: undefined where none does. It holds the file's lock, which tells it from another
 * process with its pid. `program`: a keeper, which can look.
 */
export async function findRecordedKeeper(file: string, program: string): Promise<number | undefined> {
  const pid = (await read(file))?.['keeper']
  if (typeof pid !== 'number') return undefined
  // To be written to: over NFS only such a file can be locked for oneself (flock(2)).
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

/** The exit in a keeper's event or record. */
export function exitOf({ code, signal }: Readonly<Record<string, unknown>>): Exit {
  return { code: typeof code === 'number' ? code : null, signal: typeof signal === 'string' ? signal : null }
}
