import type { ErrorJson } from './errors.ts'
import type { LocaldEvent } from './events.ts'
import { plain } from './grep.ts'
import { LogCursor } from './log-reader.ts'
import type { Service } from './service.ts'

/** Lines shown of a service that failed. */
const tailLength = 10

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

/** The last lines of output of a service's present run, without ANSI codes; none when its log cannot be read. */
export async function tailOf(service: Service, count: number): Promise<readonly string[]> {
  const cursor = new LogCursor(service.log.file)
  try {
    const lines = (await cursor.last(count)).filter(({ time }) => Date.parse(time) >= service.begunMs)
    return lines.map(line => plain(line.text))
  } catch {
    return []
  } finally {
    await cursor.close()
  }
}
