import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** `ps` answers at once: ms. */
const limitMs = 5000

/** Returns when a process was started, as text to compare; undefined where there is none. */
export async function processStart(pid: number): Promise<string | undefined> {
  const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC' }
  const argv = ['-o', 'lstart=', '-p', `${pid}`]
  const found = await promisify(execFile)('ps', argv, { timeout: limitMs, env }).catch(() => undefined)
  const start = found?.stdout.trim() ?? ''
  return start === '' ? undefined : start
}
