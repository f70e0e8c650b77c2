import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:os'
import { LocaldError, messageOf, systemCode } from '../../kernel/errors.ts'
import type { OneOffAnswer, OneOffBody } from '../../kernel/protocol.ts'
import { isFolder } from '../args/folder.ts'
import { type Context, callerEnvironment } from '../context.ts'
import { need } from '../daemon/client.ts'
import { explain } from '../output/errors.ts'
import { namerFor } from '../output/service-words.ts'
import { say } from '../output/terminal.ts'

/** What shells answer for a command that is not there, and for one that cannot be run. */
const notFound = 127
const notRunnable = 126

/** `locald run`: a one-off command in a service's place; its exit code is this one's. */
export async function run(context: Context): Promise<number> {
  const [service] = context.words.names
  const [command, ...args] = context.words.command
  if (service === undefined || command === undefined) throw new LocaldError('USAGE', 'locald run SERVICE -- CMD…')
  const daemon = await need(context.paths)
  const body: OneOffBody = { path: context.cwd, service, env: callerEnvironment() }
  const place = await daemon.post<OneOffAnswer>('/v1/services/one-off', body)
  if (!isFolder(place.dir)) {
    throw new LocaldError('SPAWN_FAILED', `the folder of '${service}' is missing: ${place.dir}`, {
      service,
      hint: "Check the service's workdir in locald.toml.",
    })
  }
  warn(context, place.notRunning)
  try {
    return await child(command, args, place)
  } catch (error) {
    // A script without `#!`: execvp(3) has /bin/sh run it, posix_spawn(2), by which Node.js starts programs on macOS, does not.
    if (systemCode(error) === 'ENOEXEC') return await child('/bin/sh', [command, ...args], place)
    const isMissing = systemCode(error) === 'ENOENT'
    const what = isMissing ? `command not found: ${command}` : `cannot run ${command}: ${messageOf(error)}`
    say(explain(new LocaldError('SPAWN_FAILED', what, { hint: `It was looked for in the PATH of '${service}'.` })))
    return isMissing ? notFound : notRunnable
  }
}

/** What the command may want to reach and does not run: the command then only says that nobody answers. */
function warn({ words }: Context, keys: readonly string[]): void {
  if (keys.length === 0) return
  const names = keys.map(namerFor(words))
  say(`Warning: ${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} not running`)
  say(`Hint: \`locald up ${names.join(' ')}\` starts ${names.length === 1 ? 'it' : 'them'}.`)
}

function child(command: string, args: readonly string[], { dir, env }: OneOffAnswer): Promise<number> {
  return new Promise((resolve, reject) => {
    let running: ChildProcess | undefined
    // Ctrl-C in a terminal reaches both: forwarding it would make it two.
    const isTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY
    // Heard before the command runs: a signal right after its start would end this process alone.
    process.on('SIGINT', () => {
      if (!isTerminal) running?.kill('SIGINT')
    })
    process.on('SIGTERM', () => running?.kill('SIGTERM'))
    process.on('SIGHUP', () => running?.kill('SIGHUP'))
    running = spawn(command, args, { cwd: dir, env, stdio: 'inherit' })
    running.once('error', reject)
    running.once('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])))
  })
}
