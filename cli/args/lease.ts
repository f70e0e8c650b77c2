import { execFile } from 'node:child_process'
import { basename } from 'node:path'
import { promisify } from 'node:util'
import { LocaldError } from '../../kernel/errors.ts'
import type { LeaseBody } from '../../kernel/protocol.ts'
import { readDuration } from './values.ts'

/** `ps` answers at once: ms. */
const nameMs = 2000

/** Reads the value of `--lease`: a pid, or a time with a unit. Throws USAGE for anything else. */
export async function readLease(value: string): Promise<LeaseBody> {
  if (/^[1-9]\d{0,9}$/.test(value)) {
    const pid = Number(value)
    const name = await nameOf(pid)
    return { pid, ...(name === undefined ? {} : { name }) }
  }
  const time = readDuration(value)
  if (time !== undefined) return { seconds: time / 1000 }
  throw new LocaldError('USAGE', `--lease must be a pid or a time up to 20d, not '${value}'`, {
    hint: 'Use `--lease $$` for this shell, or `--lease 10m`.',
  })
}

/** Returns the name of a process's program; undefined where that is not known. */
async function nameOf(pid: number): Promise<string | undefined> {
  const found = await promisify(execFile)('ps', ['-o', 'comm=', '-p', `${pid}`], { timeout: nameMs }).catch(
    () => undefined,
  )
  const name = basename(found?.stdout.trim() ?? '').slice(0, 100)
  return name === '' ? undefined : name
}
