import type { Instance } from '../../contract/plugin.ts'
import { pause } from '../../system/async.ts'
import { isOnLoopback } from '../failure/unreachable.ts'
import type { SupervisorHost } from '../supervisor-host.ts'
import { tcpProbe } from './probes.ts'

/** The pause between two looks is a quarter of the time so far, at least so long: ms. */
const leastPauseMs = 1000
const pausePart = 1 / 4
/** A service that does not listen there by then has another port: ms. */
const lookForMs = 10 * 60_000
/** The timeout of a connection: ms. */
const connectMs = 1000

/** The service whose own port is watched. */
export interface OwnPort {
  readonly host: Pick<SupervisorHost, 'listeners'>
  readonly instance: Instance
  readonly port: number
  readonly signal: AbortSignal
}

/**
 * Waits until an instance that was found on another port listens on its own: many open a port for their own use long
 * before they listen. Returns false when it does not within ten minutes, or when the signal aborts.
 */
export async function listensOnOwn({ host, instance, port, signal }: OwnPort): Promise<boolean> {
  const began = performance.now()
  for (let elapsedMs = 0; elapsedMs < lookForMs; elapsedMs = performance.now() - began) {
    await pause(Math.max(leastPauseMs, elapsedMs * pausePart), signal)
    if (signal.aborted) return false
    // A connection is cheap; only where there is one, all processes and sockets are read.
    if (!(await tcpProbe(port, connectMs)).ok) continue
    const listeners = await host.listeners(instance)
    if (listeners.some(each => each.port === port && isOnLoopback(each.address))) return !signal.aborted
  }
  return false
}
