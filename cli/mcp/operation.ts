import { LocaldError } from '../../kernel/errors.ts'
import type { LocaldEvent, ServiceView } from '../../kernel/events.ts'
import type { Client, StreamRequest } from '../daemon/client.ts'
import { connectionLost } from '../daemon/http.ts'
import type { DoneEvent } from '../follow/operation.ts'

/** How an operation went: without `done`, it goes on in the daemon. */
export interface Outcome {
  readonly done: DoneEvent | undefined
  /** Warnings about the services, each once. */
  readonly warnings: readonly string[]
  /** The states so far. */
  readonly views: readonly ServiceView[]
}

/** Clients give up after a minute, as a rule. */
export const defaultSeconds = 50

export const timeoutSchema = {
  timeout: {
    type: 'number',
    minimum: 0,
    maximum: 3600,
    description: `Seconds to wait; default ${defaultSeconds}. What was begun goes on after that: call \`wait\``,
  },
} as const

/** Follows an operation of the daemon until it is done, or for so long. Throws its error where nothing was begun. */
export async function followDone(
  daemon: Client,
  request: Pick<StreamRequest, 'path' | 'body' | 'doing'>,
  seconds = defaultSeconds,
): Promise<Outcome> {
  const stream = daemon.stream<LocaldEvent>({ method: 'POST', ...request })
  const views = new Map<string, ServiceView>()
  const warnings = new Set<string>()
  const read = async (): Promise<DoneEvent> => {
    for await (const events of stream.batches)
      for (const event of events) {
        if (event.event === 'service') views.set(event.service.key, event.service)
        if (event.event === 'warning')
          warnings.add(event.hint === undefined ? event.message : `${event.message} (${event.hint})`)
        if (event.event === 'done') return event
      }
    throw connectionLost(request.doing)
  }
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>(resolve => {
    timer = setTimeout(() => resolve(undefined), seconds * 1000)
  })
  const reading = read()
  // After the limit it is read on, as an `up` whose client leaves is taken back; its error has no reader then.
  reading.catch(() => undefined)
  const done = await Promise.race([reading, late]).finally(() => clearTimeout(timer))
  if (done?.error !== undefined && done.services.length === 0) throw LocaldError.fromJSON(done.error)
  return { done, warnings: [...warnings], views: done?.services ?? [...views.values()] }
}
