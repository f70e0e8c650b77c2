import { type Events, isAbout, type LocaldEvent } from '../events.ts'
import type { Service } from '../services/service.ts'

/** Receives an operation's events; the last one is `done`. */
export type EventSink = (event: LocaldEvent) => void

/**
 * Runs an operation, and passes the events of its services to the sink meanwhile. Services may be added while it runs.
 */
export async function forwardEvents<T>(
  events: Events,
  services: readonly Service[],
  sink: EventSink,
  operation: () => Promise<T>,
): Promise<T> {
  const off = events.on(event => {
    if (services.some(({ ref }) => isAbout(event, ref))) sink(event)
  })
  try {
    return await operation()
  } finally {
    off()
  }
}
