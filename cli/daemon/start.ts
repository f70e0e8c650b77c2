import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, fstatSync, openSync, readdirSync, readSync } from 'node:fs'
import type { Socket } from 'node:net'
import { devNull } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { type ErrorJson, isOtherProcessors, LocaldError, messageOf } from '../../kernel/errors.ts'
import { type Paths, settlePaths } from '../../kernel/system/paths.ts'
import { preparePaths } from '../../kernel/system/prepare-paths.ts'
import { parsePort, parseSeconds } from '../args/values.ts'
import { connectToDaemon, mayListen, wakeDaemon } from './connect.ts'
import { daemonArgv, findKeeper, keeperMissing, managedArgv } from './daemon-argv.ts'
import { daemonEnvironment } from './environment.ts'
import { startManaged } from './managed-start.ts'

/** The keeper's exit code when another process holds the lock (EX_TEMPFAIL of sysexits(3)). */
const lockHeldCode = 75
/** How long a daemon may take until it listens, where LOCALD_START_TIMEOUT says nothing else, ms. */
const usualMs = 15_000
/** Between two checks for the socket of a daemon that another caller is starting, ms. */
const stepMs = 20
/**
 * After this time without its socket, the holder of the lock may have been a daemon that was stopping, or the started
 * one was killed: try to be the next, ms. That also wakes a daemon that runs without its socket.
 */
const patienceMs = 300
/** A queue of connections does not stay full for this long, ms. */
const busyMs = 1000

/**
 * Starts the daemon and connects to it. The lock that the keeper takes for the daemon decides between callers at the
 * same moment; a caller that does not get it waits for the other's daemon. Throws KEEPER_MISSING, DAEMON_START, USAGE
 * for a variable that it cannot use, or the daemon's own error.
 */
export async function startDaemon(wanted: Paths): Promise<Socket> {
  const settle = () => settlePaths({ env: process.env, sandbox: wanted.sandbox })
  let paths = settle()
  preparePaths(paths)
  checkStartVariables()
  const limitMs = startLimit()
  const launch = { run: () => managedArgv(paths), limitMs }
  const machines = await startManaged(paths, launch, () => connectToDaemon(settle()))
  if (machines !== undefined) return machines
  // Before the deadline is set: compiling the keeper does not count.
  findKeeper(paths)
  const deadline = performance.now() + limitMs
  while (performance.now() < deadline) {
    preparePaths(paths)
    if (!(await tryStart(paths, deadline))) wakeDaemon(paths)
    const until = Math.min(deadline, performance.now() + patienceMs)
    do {
      // Again each time: the daemon of another data folder may have claimed the runtime folder first.
      paths = settle()
      const socket = await connectToDaemon(paths)
      if (socket !== undefined) return socket
      await new Promise(resolve => setTimeout(resolve, stepMs))
    } while (performance.now() < until)
  }
  throw startFailure(paths, `socket ${paths.socket} does not appear`)
}

/** Throws USAGE for a variable that the daemon would only log, to run without a proxy, or that limits its start. */
export function checkStartVariables(): void {
  startLimit()
  for (const name of ['LOCALD_HTTP_PORT', 'LOCALD_HTTPS_PORT']) parsePort(name, process.env[name] || '0')
}

/**
 * Returns how long a daemon may take until it listens, ms. Throws USAGE when LOCALD_START_TIMEOUT is no number of
 * seconds.
 */
export function startLimit(): number {
  const text = process.env['LOCALD_START_TIMEOUT']
  return text === undefined || text === '' ? usualMs : parseSeconds('LOCALD_START_TIMEOUT', text)
}

/** Whether an earlier daemon left services that a new one would adopt. */
export function hasServices(paths: Paths): boolean {
  // In the runtime folder daemons of earlier versions have them.
  const folders = [paths.records, paths.runtime].flatMap(at => [join(at, 'projects'), join(at, 'services')])
  return folders.some(folder => {
    try {
      return readdirSync(folder).length > 0
    } catch {
      return false
    }
  })
}

/** Resolves when no daemon listens any more. Throws DAEMON_UNREACHABLE when the daemon stays longer than `limitMs`. */
export async function waitForShutdown(paths: Paths, limitMs: number): Promise<void> {
  const deadline = performance.now() + limitMs
  let listeningAt = performance.now()
  for (;;) {
    const socket = await connectToDaemon(paths)
    // Its pid may be another process's by now: there is nothing to wait for.
    if (socket === undefined && (performance.now() - listeningAt > busyMs || !mayListen(paths))) return
    if (socket !== undefined) listeningAt = performance.now()
    socket?.destroy()
    if (performance.now() > deadline) {
      throw new LocaldError('DAEMON_UNREACHABLE', 'the daemon did not stop', {
        hint: `Check its log: ${paths.daemonLog}`,
      })
    }
    await new Promise(resolve => setTimeout(resolve, stepMs))
  }
}

/** Starts the daemon. True: it listens. False: another one holds the lock. */
async function tryStart(paths: Paths, deadline: number): Promise<boolean> {
  const log = openLog(paths.daemonLog)
  const before = fstatSync(log).size
  const [program, ...words] = daemonArgv(paths)
  const child = spawn(program, words, {
    cwd: '/',
    detached: true,
    env: daemonEnvironment(paths),
    stdio: ['ignore', log, log, 'pipe'],
  })
  closeSync(log)
  try {
    const result = await waitForStartup(child, deadline)
    if ('line' in result) return readStartResult(result.line)
    if ('exit' in result && result.exit === lockHeldCode) return false
    // It holds the lock, and would keep it.
    if ('timedOut' in result) child.kill('SIGKILL')
    throw startFailed(paths, before, result)
  } finally {
    child.stdio[3]?.destroy()
    child.unref()
  }
}

/** Opens the daemon's log, for its output before it opens the log itself. Does not wait where it is no regular file. */
function openLog(file: string): number {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NONBLOCK } = constants
  try {
    return openSync(file, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK, 0o600)
  } catch {
    return openSync(devNull, 'w')
  }
}

/** The first startup result: the daemon's line, its exit, an error or the deadline. */
type StartResult =
  | { readonly line: string }
  | { readonly exit: number | string | null }
  | { readonly error: unknown }
  | { readonly timedOut: true }

/** Waits for the daemon's line, its exit, or the deadline. */
async function waitForStartup(child: ChildProcess, deadline: number): Promise<StartResult> {
  const stop = new AbortController()
  const { signal } = stop
  const pipe = child.stdio[3]
  const timer = setTimeout(() => stop.abort(), Math.max(0, deadline - performance.now()))
  const exited = once(child, 'exit', { signal }).then(([code, name]): StartResult => ({ exit: code ?? name }))
  const line = pipe instanceof Readable ? readLine(pipe) : new Promise<never>(() => {})
  const reported = line.then((text): StartResult | Promise<StartResult> =>
    text === undefined ? exited : { line: text },
  )
  try {
    return await Promise.race([exited, reported])
  } catch (error) {
    return signal.aborted ? { timedOut: true } : { error }
  } finally {
    clearTimeout(timer)
    exited.catch(() => undefined)
    reported.catch(() => undefined)
    stop.abort()
  }
}

async function readLine(pipe: Readable): Promise<string | undefined> {
  let text = ''
  for await (const piece of pipe) {
    text += piece
    const end = text.indexOf('\n')
    if (end >= 0) return text.slice(0, end)
  }
  return undefined
}

function readStartResult(line: string): true {
  const result: { ok: true } | { ok: false; error: ErrorJson } = JSON.parse(line)
  if (result.ok) return true
  throw LocaldError.fromJSON(result.error)
}

function startFailed(paths: Paths, before: number, result: StartResult): LocaldError {
  if ('timedOut' in result) return startFailure(paths, `timed out after ${startLimit() / 1000} s`)
  if ('error' in result) {
    if (isOtherProcessors(result.error))
      return keeperMissing(join(paths.native, 'locald-keeper'), 'is for another processor architecture')
    return new LocaldError('DAEMON_START', `the daemon failed to start: ${messageOf(result.error)}`, {
      hint: 'Run `locald doctor`.',
      cause: result.error,
    })
  }
  const how = 'exit' in result ? formatExit(result.exit) : 'exited'
  const tail = readLastLines(paths.daemonLog, before, 10)
  if ('exit' in result && result.exit === 'SIGKILL' && tail.length === 0) return keeperKilled(paths)
  return startFailure(paths, tail.length === 0 ? how : `${how}\n${tail.map(text => `  | ${text}`).join('\n')}`)
}

/**
 * Returns the error of a killed keeper: macOS kills programs with an invalid signature, or by a rule of a managed Mac;
 * Linux, when memory runs out.
 */
function keeperKilled(paths: Paths): LocaldError {
  const keeper = join(paths.native, 'locald-keeper')
  return new LocaldError('DAEMON_START', `the daemon failed to start: ${keeper} was killed by SIGKILL without output`, {
    hint: `Install locald again. On macOS run \`codesign --verify --strict ${keeper}\` to check it, and on a managed machine have it allowed; on Linux look for \`oom\` in \`dmesg\`.`,
  })
}

/** Returns `exited with code 3` or `killed by SIGTERM`. */
function formatExit(exit: number | string | null): string {
  return typeof exit === 'string' ? `killed by ${exit}` : `exited with code ${exit}`
}

function startFailure(paths: Paths, why: string): LocaldError {
  return new LocaldError('DAEMON_START', `the daemon failed to start: ${why}`, {
    hint: `Check its log: ${paths.daemonLog}`,
  })
}

/** Returns the last lines that were written to a file after `from` bytes, out of its last 16 KB. */
function readLastLines(file: string, from: number, count: number): readonly string[] {
  const log = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stat = fstatSync(log)
    if (!stat.isFile()) return []
    const { size } = stat
    const start = Math.max(from, size - 16 * 1024)
    const bytes = Buffer.alloc(Math.max(0, size - start))
    readSync(log, bytes, 0, bytes.length, start)
    const lines = bytes.toString('utf8').split('\n')
    return lines.filter(line => line.trim() !== '').slice(-count)
  } finally {
    closeSync(log)
  }
}
