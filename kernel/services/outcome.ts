import type { ErrorJson } from '../errors.ts'
import type { LocaldEvent } from '../events.ts'
import { logTail } from '../logs/tail.ts'
import { withoutNoise } from './failure/output-noise.ts'
import type { Service } from './service.ts'

/** Lines shown of a service that failed. */
const tailLength = 10
/** Package managers may print as many lines below them: these are read as well. */
const noiseLength = 30

/**
 * Whether a service has reached what an `up` waits for: ready, or exited with success, or stopped until the next request
 * as it was not used.
 */
export function isUp(service: Service): boolean {
  const { status, health, asleepMs } = service.state.now
  return asleepMs !== null || status === 'exited' || (status === 'running' && (health === 'healthy' || health === null))
}

/** Returns the last event of an operation: the services' states, and the last lines of those that are not as wanted. */
export async function doneEvent(
  services: readonly Service[],
  wanted: (service: Service) => boolean,
  error?: ErrorJson,
): Promise<LocaldEvent> {
  const unmet = services.filter(service => !wanted(service))
  const tails = await Promise.all(
    unmet.map(async service => [service.ref.key, await tailOf(service, tailLength)] as const),
  )
  const shown = tails.filter(([, lines]) => lines.length > 0)
  return {
    event: 'done',
    ok: unmet.length === 0 && error === undefined,
    services: services.map(({ state }) => state.view()),
    ...(error === undefined ? {} : { error }),
    ...(shown.length === 0 ? {} : { tails: Object.fromEntries(shown) }),
  }
}

/** Returns the last lines that a service's last process printed, without those of its package manager. */
export async function tailOf(service: Service, count: number): Promise<readonly string[]> {
  const lines = await logTail(service.log.file, service.lastStartMs, count + noiseLength)
  return withoutNoise(lines).slice(-count)
}
