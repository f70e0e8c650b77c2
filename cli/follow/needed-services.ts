import type { LocaldEvent } from '../../kernel/events.ts'
import type { LeaseReleaseBody, UpBody } from '../../kernel/protocol.ts'
import { type Context, callerEnvironment } from '../context.ts'
import type { Client } from '../daemon/client.ts'
import { followOperation, reportOutcome } from './operation.ts'

/**
 * Starts services with a lease of this process, runs a command while they run, and stops what no one else started or
 * uses. If this process is killed, the daemon does. The result is the exit code.
 */
export async function runWith(
  context: Context,
  daemon: Client,
  services: readonly string[],
  command: () => Promise<number>,
): Promise<number> {
  const body: UpBody = {
    ...{ path: context.cwd, services, env: callerEnvironment(), isAddition: true },
    lease: { pid: process.pid, name: 'locald run' },
  }
  const doing = 'starting services'
  // Stdout is the command's.
  const quiet = { ...context, json: false }
  const stream = daemon.stream<LocaldEvent>({ method: 'POST', path: '/v1/projects/up', body, doing })
  try {
    const done = await followOperation(quiet, stream, { doing })
    return done.ok ? await command() : reportOutcome(quiet, done)
  } finally {
    const release: LeaseReleaseBody = { pid: process.pid }
    // A daemon that does not answer: the next one finds that this process has exited.
    await daemon.post('/v1/leases/release', release, null).catch(() => {})
  }
}
