import type { LocaldEvent } from '../../kernel/events.ts'
import type { ShutdownBody } from '../../kernel/protocol.ts'
import type { Context } from '../context.ts'
import { type Client, findDaemon, requireDaemon } from '../daemon/client.ts'
import { followOperation } from './operation.ts'

/** After its last event the daemon has only to close its sockets, ms. */
const endMs = 10_000

/**
 * Stops the daemon, if one runs, and starts the next one. Throws USAGE first where the next one cannot use a variable.
 */
export async function restartDaemon(context: Context): Promise<Client> {
  const { checkStartVariables } = await import('../daemon/start.ts')
  checkStartVariables()
  await stopDaemonKeepingServices(context)
  return await requireDaemon(context.paths)
}

/** Stops the daemon, if one runs; services keep running. */
export async function stopDaemonKeepingServices(context: Context): Promise<void> {
  const daemon = await findDaemon(context.paths)
  if (daemon !== undefined) await shutDownDaemon({ ...context, json: false }, daemon, { keepServices: true })
}

/** Shuts a daemon down and waits until it no longer listens; whether every service could be stopped. */
export async function shutDownDaemon(context: Context, daemon: Client, body: ShutdownBody): Promise<boolean> {
  const doing = 'shutting down'
  const stream = daemon.stream<LocaldEvent>({ method: 'POST', path: '/v1/server/shutdown', body, doing })
  const done = await followOperation(context, stream, { doing })
  const { waitForShutdown } = await import('../daemon/start.ts')
  await waitForShutdown(context.paths, endMs)
  return done.ok
}
