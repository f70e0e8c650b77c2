import { LocaldError } from '../../kernel/errors.ts'
import type { Pong, ServerStatus } from '../../kernel/protocol.ts'
import type { Paths } from '../../kernel/system/paths.ts'
import { flagValue } from '../args/parse.ts'
import type { Context } from '../context.ts'
import { type Client, find, findOrRevive, need } from '../daemon/client.ts'
import { restarted, shutDown } from '../follow/shutdown.ts'
import { print, printJson } from '../output/terminal.ts'

/** A daemon that is well answers these from memory, ms. */
const answerMs = 10_000

/** `locald ping`. */
export async function ping(context: Context): Promise<number> {
  const pong = await (await running(context.paths)).get<Pong>('/v1/ping', {}, answerMs)
  if (context.json) printJson(pong)
  else print('Pong')
  return 0
}

/** `locald server status`. */
export async function serverStatus(context: Context): Promise<number> {
  const status = await (await running(context.paths)).get<ServerStatus>('/v1/server', {}, answerMs)
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
  ]
  print(lines.map(([name, value]) => `${String(name).padEnd(8)} ${value}`).join('\n'))
  return 0
}

/** `locald server start`. */
export async function serverStart(context: Context): Promise<number> {
  return await started(context, await need(context.paths), 'is running')
}

/** `locald server shutdown`: services are stopped first. With `--pid`, another daemon is left alone. */
export async function serverShutdown(context: Context): Promise<number> {
  const pid = flagValue(context.words, 'pid')
  // What a daemon that was killed left running is stopped, too.
  const daemon = await (pid === undefined ? findOrRevive(context.paths) : find(context.paths))
  const isMeant = async (it: Client) => pid === undefined || String((await it.get<Pong>('/v1/ping')).pid) === pid
  if (daemon === undefined || !(await isMeant(daemon))) {
    if (context.json) printJson({ event: 'done', ok: true, services: [] })
    else print(`The daemon ${pid === undefined ? '' : 'with that pid '}is not running`)
    return 0
  }
  const isOk = await shutDown(context, daemon, { keepServices: false })
  if (!context.json) print(isOk ? 'The daemon has ended' : 'The daemon has ended; not every service could be stopped')
  return isOk ? 0 : 1
}

/** `locald server restart`: services keep running, the next daemon takes them over. */
export async function serverRestart(context: Context): Promise<number> {
  return await started(context, await restarted(context), 'was restarted')
}

async function started(context: Context, daemon: Client, how: string): Promise<number> {
  const status = await daemon.get<ServerStatus>('/v1/server', {}, answerMs)
  if (context.json) printJson(status)
  else print(`The daemon ${how} (pid ${status.pid})`)
  return 0
}

async function running(paths: Paths): Promise<Client> {
  const daemon = await find(paths)
  if (daemon !== undefined) return daemon
  throw new LocaldError('DAEMON_UNREACHABLE', 'no daemon is running', {
    hint: '`locald up` starts it, and so does `locald server start`.',
  })
}
