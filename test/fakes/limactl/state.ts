import { appendFileSync, existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** Faults that a test can order, by FAKE_LIMA or the file `_fault` in LIMA_HOME. */
export const faults = [
  'broken-orphan',
  'degraded',
  'late-agent',
  'timeout',
  'old',
  'hang',
  'hang-list',
  'port-failed',
  'download',
] as const

export type Fault = (typeof faults)[number]

/** The folders of the stand-in. Lima ignores names with an underscore in LIMA_HOME (lima: pkg/store/store.go). */
export const home = process.env['LIMA_HOME'] ?? '/nonexistent'

export function dirOf(name: string): string {
  return join(home, name)
}

export function hasFault(fault: Fault): boolean {
  const file = join(home, '_fault')
  const ordered = existsSync(file) ? readFileSync(file, 'utf8') : (process.env['FAKE_LIMA'] ?? '')
  return ordered.split(/[\s,]+/).includes(fault)
}

/** Variables of the guest's user that a test sets in `_guest.json` of LIMA_HOME: the engine in it is then podman. */
export function guestVariables(): Record<string, string> {
  const file = join(home, '_guest.json')
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
}

/** Records a call, for the test. */
export function recordCall(argv: readonly string[]): void {
  if (existsSync(home)) appendFileSync(join(home, '_calls'), `${JSON.stringify(argv)}\n`)
}

/**
 * Returns the pid in a file; undefined where there is none, or its process has exited: the file is then removed (lima:
 * pkg/store/instance.go, ReadPIDFile).
 */
export function readPid(file: string): number | undefined {
  if (!existsSync(file)) return undefined
  const pid = Number(readFileSync(file, 'utf8'))
  try {
    process.kill(pid, 0)
    return pid
  } catch {
    rmSync(file, { force: true })
    return undefined
  }
}

/** Kills a process where it still runs. */
export function kill(pid: number | undefined, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(pid, signal)
  } catch {
    // It has exited.
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}

/** Logs as logrus does with `--log-format json`. */
export function log(level: 'info' | 'warning' | 'error' | 'fatal', message: string, error?: string): void {
  const fields = error === undefined ? {} : { error }
  process.stderr.write(`${JSON.stringify({ ...fields, level, msg: message, time: new Date().toISOString() })}\n`)
}

/** Exits as logrus.Fatal does (lima: cmd/limactl/main.go). */
export function fatal(message: string): never {
  log('fatal', message)
  process.exit(1)
}
