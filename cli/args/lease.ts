import { execFile } from 'node:child_process'
import { basename } from 'node:path'
import { promisify } from 'node:util'
import { LocaldError } from '../../kernel/errors.ts'
import type { LeaseBody } from '../../kernel/protocol.ts'

const seconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }
/** Some days less than a timer of Node can wait. */
const longestSeconds = 20 * 86_400
/** `ps` answers at once: ms. */
const nameMs = 2000

/** Reads the value of `--lease`: a pid, or a time with a unit. Throws USAGE for anything else. */
export async function readLease(value: string): Promise<LeaseBody> {
  if (/^[1-9]\d{0,9}$/.test(value)) {
    const pid = Number(value)
    const name = await nameOf(pid)
    return { pid, ...(name === undefined ? {} : { name }) }
  }
  const [, count, unit] = /^(\d+)([smhd])$/.exec(value) ?? []
  const time = Number(count) * (seconds[unit ?? ''] ?? Number.NaN)
  if (time > 0 && time <= longestSeconds) return { seconds: time }
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
