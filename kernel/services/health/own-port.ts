import type { Instance } from '../../contract/plugin.ts'
import { pause } from '../../system/async.ts'
import { isOnLoopback } from '../failure/unreachable.ts'
import type { SupervisorHost } from '../supervisor-host.ts'
import { portsOfUrls } from './other-port.ts'
import { tcpProbe } from './probes.ts'

/** The pause between two looks is a quarter of the time so far, at least so long: ms. */
const leastPauseMs = 1000
const pausePart = 1 / 4
/** A service that does not listen there by then has another port: ms. */
const lookForMs = 10 * 60_000
/** The timeout of a connection: ms. */
const connectMs = 1000
/** Of the ports that it printed last, so many are tried. */
const mostPrinted = 8

/** The service whose ports are watched. */
export interface FoundPort {
  readonly host: Pick<SupervisorHost, 'listeners' | 'lastLines'>
  readonly instance: Instance
  /** Its own. */
  readonly port: number
  /** On which it was found. */
  readonly found: number
  readonly signal: AbortSignal
}

/**
 * Waits until an instance that was found on another port listens on its own, or on that of a URL which it printed: many
 * open a port for their own use long before they listen. Returns that port; undefined when there is none within ten
 * minutes, or when the signal aborts.
 */
export async function betterPort({ host, instance, port, found, signal }: FoundPort): Promise<number | undefined> {
  const began = performance.now()
  for (let elapsedMs = 0; elapsedMs < lookForMs; elapsedMs = performance.now() - began) {
    await pause(Math.max(leastPauseMs, elapsedMs * pausePart), signal)
    if (signal.aborted) return undefined
    const printed = portsOfUrls(await host.lastLines())
    const wanted = new Set([port, ...(printed.includes(found) ? [] : printed.slice(-mostPrinted))])
    const answers = await Promise.all([...wanted].map(async each => ((await tcpProbe(each, connectMs)).ok ? each : [])))
    const answering = answers.flat()
    // A connection is cheap; only where there is one, all processes and sockets are read.
    if (answering.length === 0) continue
    const listeners = (await host.listeners(instance)).filter(({ address }) => isOnLoopback(address))
    const better = answering.find(each => listeners.some(listener => listener.port === each))
    if (better !== undefined) return signal.aborted ? undefined : better
  }
  return undefined
}
