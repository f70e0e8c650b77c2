import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, closeSync, constants, existsSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs'
import type { Socket } from 'node:net'
import { devNull } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { type ErrorJson, isOtherProcessors, LocaldError, messageOf } from '../../kernel/errors.ts'
import type { Argv } from '../../kernel/protocol.ts'
import { builtFolder, packageFolder } from '../../kernel/system/package.ts'
import { compileNative, type Paths, preparePaths, settlePaths } from '../../kernel/system/paths.ts'
import { port, seconds } from '../args/values.ts'
import { mayListen, reach, wake } from './connect.ts'
import { daemonEnvironment } from './environment.ts'
import { startByMachine } from './machine-start.ts'
import { stablePath } from './stable-path.ts'

/** The keeper's exit code when another process holds the lock (EX_TEMPFAIL of sysexits(3)). */
const lockHeld = 75
/** Has the keeper and the daemon exit with 0 instead. */
const heldOk = '--held-ok'
/**
 * Most of what the daemon allocates is gone at once: a smaller young generation (MB; V8's own limit is 16) needs 20 MB less. Without the
 * memory reducer, which collects all some seconds after the last work, 60 to 80 ms of CPU, an idle daemon does nothing. Young
 * objects are collected by one thread in a third of the time. The marking of cppgc's objects by another thread has ended a Node 20 under
 * load ("Check failed: concurrent_marking_handle_"); later ones do not do it.
 */
const nodeFlags = [
  '--max-semi-space-size=4',
  '--no-memory-reducer',
  '--no-parallel-scavenge',
  '--no-cppheap-concurrent-marking',
]
/** How long a daemon may take until it listens, where LOCALD_START_TIMEOUT says nothing else, ms. */
const usualMs = 15_000
/** Between two looks for the socket of a daemon that someone else is starting, ms. */
const stepMs = 20
/**
 * After so long without its socket, the holder of the lock may have been one that was ending, or the daemon that was started was killed: try
 * to be the next, ms. One that runs without its socket is woken so.
 */
const patienceMs = 300
/** A queue of connections does not stay full for so long, ms. */
const busyMs = 1000

/**
 * Starts the daemon and connects to it. The lock that the keeper takes for the daemon decides between callers at the same
 * moment; whoever does not get it waits for the other's daemon. Throws KEEPER_MISSING, DAEMON_START, USAGE
 * for a variable that it cannot use, or the daemon's own error.
 */
export async function startDaemon(wanted: Paths): Promise<Socket> {
  const settle = () => settlePaths({ env: process.env, sandbox: wanted.sandbox })
  let paths = settle()
  preparePaths(paths)
  const limitMs = startLimit()
  // The daemon would tell its log alone, and have no proxy.
  for (const name of ['LOCALD_HTTP_PORT', 'LOCALD_HTTPS_PORT']) port(name, process.env[name] || '0')
  const launch = { run: () => managedArgv(paths), limitMs }
  const machines = await startByMachine(paths, launch, () => reach(settle()))
  if (machines !== undefined) return machines
  // Where it has to be compiled, that time is not the daemon's.
  keeperOf(paths)
  const deadline = performance.now() + limitMs
  while (performance.now() < deadline) {
    preparePaths(paths)
    if (!(await attempt(paths, deadline))) wake(paths)
    const until = Math.min(deadline, performance.now() + patienceMs)
    do {
      // The daemon of another data folder may have been the first in the runtime folder: each is asked for its own.
      paths = settle()
      const socket = await reach(paths)
      if (socket !== undefined) return socket
      await new Promise(resolve => setTimeout(resolve, stepMs))
    } while (performance.now() < until)
  }
  throw late(paths, `its socket ${paths.socket} does not appear`)
}

/** The daemon's command line. */
function daemonArgv(paths: Paths): Argv {
  const daemon = join(builtFolder, 'kernel', 'daemon.js')
  const keeper = keeperOf(paths)
  const locked = [keeper, 'lock', paths.runtimeLock, '--', process.execPath, ...nodeFlags, daemon]
  return [keeper, 'lock', paths.lock, '--', ...locked]
}

/**
 * The daemon's command line for a service manager, by paths that stay when a new version is installed. It exits with 0 where another
 * daemon runs, so that no other is started: launchd knows no other code that means so.
 */
export function managedArgv(paths: Paths): Argv {
  const stable = (path: string) => stablePath(path, process.env['PATH'])
  const keeper = stable(keeperOf(paths))
  const daemon = [stable(process.execPath), ...nodeFlags, stable(join(builtFolder, 'kernel', 'daemon.js')), heldOk]
  return [keeper, 'lock', heldOk, paths.lock, '--', keeper, 'lock', heldOk, paths.runtimeLock, '--', ...daemon]
}

/** How long a daemon may take until it listens, ms. Throws USAGE when LOCALD_START_TIMEOUT is no number of seconds. */
export function startLimit(): number {
  const told = process.env['LOCALD_START_TIMEOUT']
  return told === undefined || told === '' ? usualMs : seconds('LOCALD_START_TIMEOUT', told)
}

/** Whether an earlier daemon left something that a new one would take over. */
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

/** Resolves when nobody listens any more. Throws DAEMON_UNREACHABLE when the daemon stays longer than `limitMs`. */
export async function ended(paths: Paths, limitMs: number): Promise<void> {
  const deadline = performance.now() + limitMs
  let heardAt = performance.now()
  for (;;) {
    const socket = await reach(paths)
    // Its pid may be another process's by now, which is waited for no longer.
    if (socket === undefined && (performance.now() - heardAt > busyMs || !mayListen(paths))) return
    if (socket !== undefined) heardAt = performance.now()
    socket?.destroy()
    if (performance.now() > deadline) {
      throw new LocaldError('DAEMON_UNREACHABLE', 'the daemon did not end', { hint: `Its log is ${paths.daemonLog}` })
    }
    await new Promise(resolve => setTimeout(resolve, stepMs))
  }
}

/** The keeper; where no package brought one, and there is a compiler, it is made now. */
function keeperOf(paths: Paths): string {
  const keeper = join(paths.native, 'locald-keeper')
  if (isProgram(keeper)) return keeper
  const compiled = process.env['LOCALD_NATIVE'] === undefined ? compileNative(paths.data) : undefined
  if (compiled !== undefined) return join(compiled, 'locald-keeper')
  throw keeperMissing(keeper, 'is missing or cannot be run')
}

function keeperMissing(keeper: string, why: string): LocaldError {
  return new LocaldError('KEEPER_MISSING', `${keeper} ${why}`, {
    hint: isCheckout()
      ? `Run \`npm run build\` in ${packageFolder}: it says what is wrong.`
      : 'Install locald again with its optional packages: `npm install --global --include=optional locald`.',
  })
}

/** A published package has no source of the scripts that build. */
function isCheckout(): boolean {
  return existsSync(join(packageFolder, 'scripts', 'build-native.ts'))
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** True: the daemon that was started listens. False: another one holds the lock. */
async function attempt(paths: Paths, deadline: number): Promise<boolean> {
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
    const word = await firstOf(child, deadline)
    if ('line' in word) return ready(word.line)
    if ('exit' in word && word.exit === lockHeld) return false
    // One that is late holds the lock, and would for good.
    if ('late' in word) child.kill('SIGKILL')
    throw died(paths, before, word)
  } finally {
    child.stdio[3]?.destroy()
    child.unref()
  }
}

/** The daemon's log, for what it says before it has opened it itself; what is no regular file there is waited for by no one. */
function openLog(file: string): number {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NONBLOCK } = constants
  try {
    return openSync(file, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK, 0o600)
  } catch {
    return openSync(devNull, 'w')
  }
}

type Word =
  | { readonly line: string }
  | { readonly exit: number | string | null }
  | { readonly error: unknown }
  | { readonly late: true }

/** What is heard first: the daemon's line, its end, or the deadline. */
async function firstOf(child: ChildProcess, deadline: number): Promise<Word> {
  const stop = new AbortController()
  const { signal } = stop
  const pipe = child.stdio[3]
  const timer = setTimeout(() => stop.abort(), Math.max(0, deadline - performance.now()))
  const exited = once(child, 'exit', { signal }).then(([code, name]): Word => ({ exit: code ?? name }))
  const line = pipe instanceof Readable ? lineOf(pipe) : new Promise<never>(() => {})
  const said = line.then((text): Word | Promise<Word> => (text === undefined ? exited : { line: text }))
  try {
    return await Promise.race([exited, said])
  } catch (error) {
    return signal.aborted ? { late: true } : { error }
  } finally {
    clearTimeout(timer)
    exited.catch(() => undefined)
    said.catch(() => undefined)
    stop.abort()
  }
}

async function lineOf(pipe: Readable): Promise<string | undefined> {
  let text = ''
  for await (const piece of pipe) {
    text += piece
    const end = text.indexOf('\n')
    if (end >= 0) return text.slice(0, end)
  }
  return undefined
}

function ready(line: string): true {
  const word: { ok: true } | { ok: false; error: ErrorJson } = JSON.parse(line)
  if (word.ok) return true
  throw LocaldError.fromJSON(word.error)
}

function died(paths: Paths, before: number, word: Word): LocaldError {
  if ('late' in word) return late(paths, `it did not listen within ${startLimit() / 1000} s`)
  if ('error' in word) {
    if (isOtherProcessors(word.error))
      return keeperMissing(join(paths.native, 'locald-keeper'), 'is for another kind of processor')
    return new LocaldError('DAEMON_START', `the daemon cannot be started: ${messageOf(word.error)}`, {
      hint: '`locald doctor` checks this machine.',
      cause: word.error,
    })
  }
  const how = 'exit' in word ? `it ended with ${word.exit}` : 'it ended'
  const tail = lastLines(paths.daemonLog, before, 10)
  if ('exit' in word && word.exit === 'SIGKILL' && tail.length === 0) return killed(paths)
  return late(paths, tail.length === 0 ? how : `${how}\n${tail.map(text => `  | ${text}`).join('\n')}`)
}

/** So macOS ends what it does not let run, for a signature that does not fit or a rule of who manages the Mac, and Linux when memory runs out. */
function killed(paths: Paths): LocaldError {
  const keeper = join(paths.native, 'locald-keeper')
  return new LocaldError(
    'DAEMON_START',
    `the daemon did not start: ${keeper} was ended by SIGKILL before it said anything`,
    {
      hint: `Install locald again. On macOS run \`codesign --verify --strict ${keeper}\` to see whether it is whole, and on a managed machine have it allowed; on Linux look for \`oom\` in \`dmesg\`.`,
    },
  )
}

function late(paths: Paths, why: string): LocaldError {
  return new LocaldError('DAEMON_START', `the daemon did not start: ${why}`, { hint: `Its log is ${paths.daemonLog}` })
}

/** What was written to a file after `from` bytes: the last lines of its last 16 KB. */
function lastLines(file: string, from: number, count: number): readonly string[] {
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
