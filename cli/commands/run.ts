import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:os'
import { LocaldError, messageOf, systemCode } from '../../kernel/errors.ts'
import type { OneOffAnswer, OneOffBody } from '../../kernel/protocol.ts'
import { type Context, callerEnvironment } from '../context.ts'
import { requireDaemon } from '../daemon/client.ts'
import { formatError } from '../output/errors.ts'
import { namerFor } from '../output/service-state.ts'
import { printStderr } from '../output/terminal.ts'

/** The exit codes of shells for a command that is not found, and for one that cannot be executed. */
const notFound = 127
const notRunnable = 126
/** Signals that the command gets. */
const passed = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** `locald run`: runs a command with a service's environment and folder; exits with its code. */
export async function run(context: Context): Promise<number> {
  const [service] = context.args.positionals
  const [command, ...args] = context.args.childArgv
  if (service === undefined || command === undefined) throw new LocaldError('USAGE', 'locald run SERVICE -- CMD…')
  const daemon = await requireDaemon(context.paths)
  const tty = process.stdin.isTTY === true && process.stdout.isTTY === true
  const body: OneOffBody = {
    path: context.cwd,
    service,
    env: callerEnvironment(),
    argv: [command, ...args],
    tty,
    pid: process.pid,
  }
  const place = await daemon.post<OneOffAnswer>('/v1/services/one-off', body)
  warnNotRunning(context, place.notRunning)
  try {
    const [program = command, ...rest] = place.argv ?? [command, ...args]
    return await runForeground([program, ...rest], place)
  } catch (error) {
    // A script without `#!`: execvp(3) has /bin/sh run it, posix_spawn(2), by which Node.js starts programs on macOS,
    // does not.
    if (systemCode(error) === 'ENOEXEC' && place.argv === undefined)
      return await runForeground(['/bin/sh', command, ...args], place)
    const isMissing = systemCode(error) === 'ENOENT'
    const what = isMissing ? `command not found: ${command}` : `${command} failed to start: ${messageOf(error)}`
    printStderr(
      formatError(
        new LocaldError('SPAWN_FAILED', what, {
          hint: `Check the PATH of '${service}': the command is searched there.`,
        }),
      ),
    )
    return isMissing ? notFound : notRunnable
  }
}

/** Warns about dependencies that are not running: the command itself would only report a refused connection. */
function warnNotRunning({ args }: Context, keys: readonly string[]): void {
  if (keys.length === 0) return
  const names = keys.map(namerFor(args))
  printStderr(`Warning: ${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} not running`)
  printStderr(`Hint: Run \`locald up ${names.join(' ')}\`.`)
}

/** Where a program runs, and its whole environment. */
interface Foreground {
  readonly dir: string
  readonly env: Readonly<Record<string, string>>
}

/** Runs a program with the caller's terminal; the result is its exit code. Rejects where it does not start. */
export function runForeground(
  [program, ...args]: readonly [string, ...string[]],
  { dir, env }: Foreground,
): Promise<number> {
  return new Promise((resolve, reject) => {
    let running: ChildProcess | undefined
    // Ctrl-C in a terminal reaches both: forwarding it would make it two.
    const isTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY
    const pass = (signal: NodeJS.Signals): void => {
      if (signal !== 'SIGINT' || !isTerminal) running?.kill(signal)
    }
    // Handled before the command runs: a signal right after its start would stop this process alone.
    for (const signal of passed) process.on(signal, pass)
    const release = (): void => {
      for (const signal of passed) process.off(signal, pass)
    }
    running = spawn(program, args, { cwd: dir, env, stdio: 'inherit' })
    running.once('error', error => {
      release()
      reject(error)
    })
    running.once('exit', (code, signal) => {
      release()
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]))
    })
  })
}
