import type { ErrorJson } from '../errors.ts'
import type { LocaldEvent } from '../events.ts'
import { logTail } from '../logs/tail.ts'
import { meaningful } from './failure/output-noise.ts'
import type { Service } from './service.ts'

/** Lines shown of a service that failed. */
const tailLength = 10
/** What package managers print below them may be as many lines: these are read, too. */
const noiseLength = 30

/** Whether a service is where an `up` wants it: ready, or ended well. */
export function isUp(service: Service): boolean {
  const { status, health } = service.state.now
  return status === 'exited' || (status === 'running' && (health === 'healthy' || health === null))
}

/** The last event of an operation: how the services are, and the last lines of those that are not well. */
export async function doneEvent(
  services: readonly Service[],
  wanted: (service: Service) => boolean,
  error?: ErrorJson,
): Promise<LocaldEvent> {
  const unwell = services.filter(service => !wanted(service))
  const tails = await Promise.all(
    unwell.map(async service => [service.ref.key, await tailOf(service, tailLength)] as const),
  )
  const told = tails.filter(([, lines]) => lines.length > 0)
  return {
    event: 'done',
    ok: unwell.length === 0 && error === undefined,
    services: services.map(({ state }) => state.view()),
    ...(error === undefined ? {} : { error }),
    ...(told.length === 0 ? {} : { tails: Object.fromEntries(told) }),
  }
}

/** The last lines that a service's last process printed; without what its package manager added. */
export async function tailOf(service: Service, count: number): Promise<readonly string[]> {
  const lines = await logTail(service.log.file, service.lastStartMs, count + noiseLength)
  return meaningful(lines).slice(-count)
}
