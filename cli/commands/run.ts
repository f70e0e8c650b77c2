import { type ChildProcess, spawn } from 'node:child_process'
import { LocaldError, systemCode } from '../../kernel/errors.ts'
import type { CommandCall, OneOffAnswer, OneOffBody } from '../../kernel/protocol.ts'
import { flagNames } from '../args/parse.ts'
import { type Context, callerEnvironment } from '../context.ts'
import { describeStartError, exitCodeOf } from '../daemon/child-exit.ts'
import { type Client, requireDaemon } from '../daemon/client.ts'
import { listDeclared } from '../daemon/declared-commands.ts'
import { formatError } from '../output/errors.ts'
import { namerFor } from '../output/service-state.ts'
import { printStderr } from '../output/terminal.ts'

/** The exit codes of shells for a command that is not found, and for one that cannot be executed. */
const notFound = 127
const notRunnable = 126
/** Signals that the command gets. */
const passed = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * `locald run`: runs a command with a service's environment and folder, or one that the service declares; exits with its
 * code. Without a command it lists those that are declared.
 */
export async function run(context: Context): Promise<number> {
  const { args } = context
  const needed = flagNames(args, 'with')
  if (args.flags.has('with') && needed.length === 0)
    throw new LocaldError('USAGE', '--with needs the name of a service', { hint: 'Use for example `--with db,cache`.' })
  const daemon = await requireDaemon(context.paths)
  const [service] = args.positionals
  const words = args.childArgv
  const declared = service === undefined ? {} : await findDeclared(context, daemon, service)
  if (typeof declared === 'number') return declared
  const { call, near } = declared
  const what = call === undefined ? { argv: words, near } : { command: call }
  if (needed.length === 0) return await runIn(context, daemon, needed, what)
  const { runWith } = await import('../follow/needed-services.ts')
  return await runWith(context, daemon, needed, () => runIn(context, daemon, needed, what))
}

/** A word in the place of a command: one that the service declares, or a program. */
interface Declared {
  readonly call?: CommandCall
  /** The declared command that a program's name is near to. */
  readonly near?: string | undefined
}

/** What to run, and what may have been meant where there is no such program. */
type What = Pick<OneOffBody, 'argv' | 'command'> & Pick<Declared, 'near'>

/** Returns the call of a command that the service declares, or the exit code where its help was printed. */
async function findDeclared(context: Context, daemon: Client, service: string): Promise<Declared | number> {
  const { args, cwd } = context
  const [word] = args.childArgv
  const isHelp = word === undefined && !args.isChildMarked
  if (!isHelp && (args.isChildMarked || word === undefined || !/^[\w-]+$/.test(word))) return {}
  const { callDeclared, findNear, printDeclared } = await import('./run-declared.ts')
  const commands = await listDeclared(daemon, { path: cwd, service })
  if (isHelp) return printDeclared(context, service, commands)
  const command = commands.find(({ name }) => name === word)
  if (command === undefined) return { near: findNear(word ?? '', commands) }
  const call = await callDeclared(service, command, args.childArgv.slice(1))
  return typeof call === 'number' ? call : { call }
}

async function runIn(
  context: Context,
  daemon: Client,
  needed: readonly string[],
  { near, ...what }: What,
): Promise<number> {
  const [service] = context.args.positionals
  const tty = process.stdin.isTTY === true && process.stdout.isTTY === true
  const body: OneOffBody = {
    path: context.cwd,
    ...(service === undefined ? { with: needed } : { service }),
    ...{ env: callerEnvironment(), ...what, tty, pid: process.pid },
  }
  // It waits for dependencies that sleep, as long as their start takes.
  const place = await daemon.post<OneOffAnswer>('/v1/services/one-off', body, null)
  const [command, ...args] = place.argv ?? what.argv ?? []
  if (command === undefined) throw new LocaldError('USAGE', 'locald run SERVICE -- CMD…')
  const code = await runThere({ service, near }, [command, ...args], place)
  if (code !== 0) reportNotRunning(context, place.notRunning)
  return code
}

/** Runs the command, and reports where it does not start. */
async function runThere(
  { service, near }: { readonly service: string | undefined; readonly near: string | undefined },
  [command, ...args]: readonly [string, ...string[]],
  place: OneOffAnswer,
): Promise<number> {
  const meant = near === undefined ? undefined : `Did you mean '${near}'? \`locald run ${service}\` lists its commands.`
  try {
    const code = await runForeground([command, ...args], place)
    if (code === notFound && meant !== undefined) printStderr(`Hint: ${meant}`)
    return code
  } catch (error) {
    // A script without `#!`: execvp(3) has /bin/sh run it, posix_spawn(2), by which Node.js starts programs on macOS,
    // does not.
    if (systemCode(error) === 'ENOEXEC' && place.argv === undefined)
      return await runForeground(['/bin/sh', command, ...args], place)
    const isMissing = systemCode(error) === 'ENOENT'
    const what = describeStartError(command, error)
    const where = service === undefined ? 'the project' : `'${service}'`
    const hint = (isMissing ? meant : undefined) ?? `Check the PATH of ${where}: the command is searched there.`
    printStderr(formatError(new LocaldError('SPAWN_FAILED', what, { hint })))
    return isMissing ? notFound : notRunnable
  }
}

/** Names dependencies that are not running after the command failed: it has only reported a refused connection. */
function reportNotRunning({ args }: Context, keys: readonly string[]): void {
  if (keys.length === 0) return
  const names = keys.map(namerFor(args))
  const [are, them] = names.length === 1 ? ['is', 'it'] : ['are', 'them']
  printStderr(`Note: ${names.join(', ')} ${are} not running; start ${them} with \`locald up ${names.join(' ')}\``)
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
      resolve(exitCodeOf(code, signal))
    })
  })
}
