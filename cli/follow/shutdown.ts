import type { LocaldEvent } from '../../kernel/events.ts'
import type { ShutdownBody } from '../../kernel/protocol.ts'
import type { Context } from '../context.ts'
import { type Client, find, need } from '../daemon/client.ts'
import { follow } from './operation.ts'

/** After its last event the daemon has only to close its sockets, ms. */
const endMs = 10_000

/** Stops the daemon, if one runs, and starts the next one. */
export async function restarted(context: Context): Promise<Client> {
  await left(context)
  return await need(context.paths)
}

/** Stops the daemon, if one runs; services keep running. */
export async function left(context: Context): Promise<void> {
  const daemon = await find(context.paths)
  if (daemon !== undefined) await shutDown({ ...context, json: false }, daemon, { keepServices: true })
}

/** Shuts a daemon down and waits until it no longer listens; whether every service could be stopped. */
export async function shutDown(context: Context, daemon: Client, body: ShutdownBody): Promise<boolean> {
  const doing = 'shutting down'
  const stream = daemon.stream<LocaldEvent>({ method: 'POST', path: '/v1/server/shutdown', body, doing })
  const done = await follow(context, stream, { doing })
  const { ended } = await import('../daemon/start.ts')
  await ended(context.paths, endMs)
  return done.ok
}
