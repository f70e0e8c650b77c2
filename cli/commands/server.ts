import { LocaldError } from '../../kernel/errors.ts'
import type { Pong, ServerStatus } from '../../kernel/protocol.ts'
import type { Paths } from '../../kernel/system/paths.ts'
import { flagValue } from '../args/parse.ts'
import { parseCount } from '../args/values.ts'
import type { Context } from '../context.ts'
import { type Client, findDaemon, findOrReviveDaemon, requireDaemon } from '../daemon/client.ts'
import { restartDaemon, shutDownDaemon } from '../follow/shutdown.ts'
import { print, printJson } from '../output/terminal.ts'

/** A healthy daemon answers these from memory, ms. */
const answerMs = 10_000

/** `locald ping`. */
export async function ping(context: Context): Promise<number> {
  const pong = await (await requireRunningDaemon(context.paths)).get<Pong>('/v1/ping', {}, answerMs)
  if (context.json) printJson(pong)
  else print('Pong')
  return 0
}

/** `locald server status`. */
export async function serverStatus(context: Context): Promise<number> {
  const status = await (await requireRunningDaemon(context.paths)).get<ServerStatus>('/v1/server', {}, answerMs)
  const log = context.paths.daemonLog
  if (context.json) {
    printJson(status)
    return 0
  }
  const lines = [
    ['pid', status.pid],
    ['socket', status.socket],
    ['http', status.http ?? '-'],
    ['https', status.https ?? '-'],
    ['version', status.version],
    ['started', status.startedAt],
    ['log', log],
  ]
  print(lines.map(([name, value]) => `${String(name).padEnd(8)} ${value}`).join('\n'))
  return 0
}

/** `locald server start`. */
export async function serverStart(context: Context): Promise<number> {
  return await reportStarted(context, await requireDaemon(context.paths), 'is running')
}

/** `locald server shutdown`: stops services first. With `--pid`, only the daemon with that pid. */
export async function serverShutdown(context: Context): Promise<number> {
  const given = flagValue(context.args, 'pid')
  // systemd gives none for a daemon that has exited: no daemon has pid 0.
  const pid = given === undefined ? undefined : given === '' ? 0 : parseCount('--pid', given)
  // Services whose daemon was killed are stopped, too: a new daemon adopts them first.
  const daemon = await (pid === undefined ? findOrReviveDaemon(context.paths) : findDaemon(context.paths))
  const isMeant = async (it: Client) => pid === undefined || (await it.get<Pong>('/v1/ping')).pid === pid
  if (daemon === undefined || !(await isMeant(daemon))) {
    if (context.json) printJson({ event: 'done', ok: true, services: [] })
    else print(pid === undefined ? 'Daemon is not running' : `No daemon with pid ${pid} is running`)
    return 0
  }
  const isOk = await shutDownDaemon(context, daemon, { keepServices: false })
  if (!context.json) print(isOk ? 'Daemon stopped' : 'Daemon stopped; some services could not be stopped')
  return isOk ? 0 : 1
}

/** `locald server restart`: services keep running, the next daemon adopts them. */
export async function serverRestart(context: Context): Promise<number> {
  return await reportStarted(context, await restartDaemon(context), 'restarted')
}

async function reportStarted(context: Context, daemon: Client, how: string): Promise<number> {
  const status = await daemon.get<ServerStatus>('/v1/server', {}, answerMs)
  if (context.json) printJson(status)
  else print(`Daemon ${how} (pid ${status.pid})`)
  return 0
}

async function requireRunningDaemon(paths: Paths): Promise<Client> {
  const daemon = await findDaemon(paths)
  if (daemon !== undefined) return daemon
  throw new LocaldError('DAEMON_UNREACHABLE', 'daemon is not running', {
    hint: 'Run `locald up` or `locald server start`.',
  })
}
